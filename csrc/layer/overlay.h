/*
 * overlay.h - how overlayfs marks what a layer removes.
 *
 * Mounted with userxattr, as silos do, so that no privilege is needed: a
 * whiteout is a device 0:0, which since Linux 5.8 everybody may make, or an
 * empty file with an attribute, which Linux 6.7 and newer honour.
 */
#ifndef HCSSHIM_LAYER_OVERLAY_H
#define HCSSHIM_LAYER_OVERLAY_H

#include <sys/stat.h>

#define HCSSHIM__OVERLAY_PREFIX "user.overlay."
#define HCSSHIM__OVERLAY_OPAQUE HCSSHIM__OVERLAY_PREFIX "opaque"
#define HCSSHIM__OVERLAY_WHITEOUT HCSSHIM__OVERLAY_PREFIX "whiteout"

/* Make a whiteout in an open folder. Returns 0, or -1 with errno. */
int hcsshim__overlay_hide(int folder, const char *name);

/* Whether a name, whose status is known, is a whiteout. */
int hcsshim__overlay_is_whiteout(int folder, const char *name,
                                 const struct stat *status);

/* Whether an open folder hides those of the layers below. */
int hcsshim__overlay_is_opaque(int folder);

#endif

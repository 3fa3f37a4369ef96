/* frame.h - frames of wire.h as the client writes and reads them. */
#ifndef HCSSHIM_NATIVE_FRAME_H
#define HCSSHIM_NATIVE_FRAME_H

#include "hcsshim.h"
#include "native/wire.h"

typedef struct hcsshim__frame {
    uint32_t length; /* of the whole frame */
    uint16_t kind;
    uint16_t call;
    uint64_t id;
    int32_t hresult;
    uint32_t detail;
} hcsshim__frame;

/* How an argument crosses, which is the same for several kinds. */
int hcsshim__kind_is_text(uint8_t kind);
int hcsshim__kind_is_number(uint8_t kind);
int hcsshim__kind_is_handle(uint8_t kind);

/* The row of a call's number; NULL if there is none. */
const hcsshim_call_row *hcsshim__call_find(uint32_t number);

/* 1 if a call of this row ends the handle that is its first argument. */
int hcsshim__call_closes(const hcsshim_call_row *row);

/*
 * How many bytes the frame of a call takes; 0 if the values do not fit the
 * row, or the frame would be larger than the wire allows.
 */
size_t hcsshim__frame_measure(const hcsshim_call_row *row,
                              const hcsshim_value *values, size_t count);

/*
 * Write the frame of a call. room: as many bytes as _measure() said.
 * handle: what goes into its OUT_SYSTEM, OUT_PROCESS or OUT_OBJECT.
 */
void hcsshim__frame_write(unsigned char *room, size_t length,
                          const hcsshim_call_row *row,
                          const hcsshim_value *values, uint64_t ticket,
                          uint64_t handle);

/* Write HCSSHIM_WIRE_HEADER bytes. */
void hcsshim__frame_put_header(unsigned char *room,
                               const hcsshim__frame *frame);

/* Read HCSSHIM_WIRE_HEADER bytes. */
void hcsshim__frame_get_header(const unsigned char *bytes,
                               hcsshim__frame *frame);

uint32_t hcsshim__frame_get_u32(const unsigned char *bytes);
void hcsshim__frame_put_u32(unsigned char *room, uint32_t value);

/*
 * Read the text at *at of a body. text: into the body; NULL for NULL.
 * Returns 1, or 0 if the body is too short. *at goes behind it.
 */
int hcsshim__frame_get_text(const unsigned char *body, size_t size, size_t *at,
                            const char **text, size_t *length);

#endif

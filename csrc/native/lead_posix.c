/* lead_posix.c - nobody reads in the place of the reader. */
#include "native/lead_alone.h"

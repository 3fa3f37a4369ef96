/*
 * sha256.h - SHA-256 for the layer code: one message, or two side by side.
 *
 * A kernel is the compression function in the instructions of one kind of
 * machine. sha256.c holds the portable one and the streaming digest;
 * sha256_x86.c and sha256_arm.c hold those of machines with SHA instructions.
 */
#ifndef HCSSHIM_LAYER_SHA256_H
#define HCSSHIM_LAYER_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define HCSSHIM_SHA256_SIZE 32
#define HCSSHIM_SHA256_BLOCK 64

/* Functions of a kernel are pure, and for any thread. */
typedef struct hcsshim__sha256_kernel {
    const char *name;
    /* Take 'blocks' times 64 bytes at 'data' into 'state'. */
    void (*compress)(uint32_t state[8], const uint8_t *data, size_t blocks);
    /*
     * The same for two messages at once. The instructions of one message wait
     * for each other, so that two take hardly longer than one.
     */
    void (*compress_pair)(uint32_t first[8], uint32_t second[8],
                          const uint8_t *first_data, const uint8_t *second_data,
                          size_t blocks);
} hcsshim__sha256_kernel;

/*
 * hcsshim__sha256_best() - the fastest kernel that this machine runs.
 *
 * Static, never freed. It asks the processor each time, which is slow in a
 * virtual machine: keep the answer for as long as the work lasts.
 */
const hcsshim__sha256_kernel *hcsshim__sha256_best(void);

/* The kernel in plain C, for every machine. */
const hcsshim__sha256_kernel *hcsshim__sha256_portable(void);

/* The kernel of this processor's SHA instructions, or NULL. */
const hcsshim__sha256_kernel *hcsshim__sha256_x86(void);
const hcsshim__sha256_kernel *hcsshim__sha256_arm(void);

/* The round constants, aligned for vector loads. */
extern const uint32_t hcsshim__sha256_constants[64];

/* The state before the first block. */
void hcsshim__sha256_start(uint32_t state[8]);

/* Write a state as the 32 bytes of a digest. */
void hcsshim__sha256_store(const uint32_t state[8], uint8_t *digest);

/* A digest of a message that comes in pieces. One thread at a time. */
typedef struct hcsshim__sha256 {
    const hcsshim__sha256_kernel *kernel;
    uint32_t state[8];
    uint64_t length; /* of the message so far, in bytes */
    uint8_t rest[HCSSHIM_SHA256_BLOCK];
} hcsshim__sha256;

void hcsshim__sha256_init(hcsshim__sha256 *digest);
void hcsshim__sha256_update(hcsshim__sha256 *digest, const void *data,
                            size_t length);
void hcsshim__sha256_final(hcsshim__sha256 *digest,
                           uint8_t out[HCSSHIM_SHA256_SIZE]);

#endif

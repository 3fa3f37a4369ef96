/*
 * wire.h - how a client and the embedded host talk.
 *
 * One stream connection (a Unix socket, or a named pipe on Windows) carries
 * frames both ways. All numbers are little-endian. A frame:
 *
 *     offset  size  field
 *          0     4  length     of the whole frame, at least 24
 *          4     2  kind       enum hcsshim_frame_kind
 *          6     2  call       number of calls.def; 0 where none applies
 *          8     8  id         ticket of the call; of an event: the handle
 *         16     4  hresult    of an answer or event; 0 in a call
 *         20     4  detail     see the kind
 *         24     -  body
 *
 * Text in a body is a u32 byte count and that many bytes of UTF-8, without a
 * terminator; the count 0xFFFFFFFF stands for NULL.
 *
 * HELLO   client to host, first. id: HCSSHIM_WIRE_MAGIC, detail:
 *         HCSSHIM_WIRE_VERSION. Body: text, the client's name and version.
 * WELCOME host to client, the answer. hresult: 0, or HCS_E_UNSUPPORTED_-
 *         PROTOCOL_VERSION and then the connection ends. detail: process id
 *         of the host. Body: text, the host's version.
 * CALL    client to host. Body: the arguments in the order of calls.def:
 *         TEXT and GUID as text, U32 and U16 as 4 bytes, SYSTEM, PROCESS and
 *         OBJECT as 8 bytes (a handle), OUT_SYSTEM, OUT_PROCESS and OUT_OBJECT
 *         as 8 bytes (the handle that the client chose for the new object).
 *         Other kinds take no room. The
 *         host handles the calls of a connection in order, and answers each
 *         once, whenever it is done. A call with ticket 0 gets no answer.
 * ANSWER  host to client. id: the ticket. hresult: the outcome. detail: bit
 *         0..2: a descriptor for the process's stdin, stdout, stderr travels
 *         with this frame, in that order: beside it by SCM_RIGHTS, or on
 *         Windows as part of its body. Body: text, the document (of a
 *         result, a query or an error); then u32, the process id
 *         (HcsCreateProcess, HcsGetProcessInfo; else 0); on Windows then u64
 *         for each set bit: a handle that the host duplicated into the
 *         client's process, open for overlapped I/O.
 *         If a call that creates a handle failed, the handle stays known to
 *         the host until the client closes it, and every call on it answers
 *         with E_HANDLE or the system's own error.
 * EVENT   host to client. id: the handle whose callback was set. detail:
 *         HCS_EVENT_TYPE of the computecore generation, or HCN_NOTIFICATIONS.
 *         hresult: status. Body: text, EventData.
 * CANCEL  client to host. id: the ticket of a call whose answer nobody wants
 *         any more. The host stops what it can and answers all the same
 *         (with HCS_E_OPERATION_ALREADY_CANCELLED if it did stop).
 */
#ifndef HCSSHIM_NATIVE_WIRE_H
#define HCSSHIM_NATIVE_WIRE_H

#include <stdint.h>

#define HCSSHIM_WIRE_MAGIC UINT64_C(0x4d49485353434801) /* "\1HCSSHIM" */
#define HCSSHIM_WIRE_VERSION 1u
#define HCSSHIM_WIRE_HEADER 24u
#define HCSSHIM_WIRE_LARGEST (64u * 1024 * 1024)
#define HCSSHIM_WIRE_NULL UINT32_C(0xFFFFFFFF)

enum hcsshim_frame_kind {
    HCSSHIM_FRAME_HELLO = 1,
    HCSSHIM_FRAME_WELCOME = 2,
    HCSSHIM_FRAME_CALL = 3,
    HCSSHIM_FRAME_ANSWER = 4,
    HCSSHIM_FRAME_EVENT = 5,
    HCSSHIM_FRAME_CANCEL = 6
};

#endif

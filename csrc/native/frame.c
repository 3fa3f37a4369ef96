/* frame.c - frames of wire.h as the client writes and reads them. */
#include <string.h>

#include "native/frame.h"

const hcsshim_call_row *hcsshim__call_find(uint32_t number)
{
    size_t count, low = 0;
    const hcsshim_call_row *rows = hcsshim_calls(&count);

    while (low < count) {
        size_t middle = low + (count - low) / 2;

        if (rows[middle].number == number)
            return &rows[middle];
        if (rows[middle].number < number)
            low = middle + 1;
        else
            count = middle;
    }
    return NULL;
}

int hcsshim__call_closes(const hcsshim_call_row *row)
{
    static const char *const verbs[] = {"HcsClose", "HcnClose", "HcnUnregister",
                                        "HcnRelease"};

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strncmp(row->name, verbs[i], strlen(verbs[i])) == 0)
            return 1;
    return 0;
}

int hcsshim__kind_is_text(uint8_t kind)
{
    return kind == HCSSHIM_KIND_TEXT || kind == HCSSHIM_KIND_GUID ||
           kind == HCSSHIM_KIND_LAYERS || kind == HCSSHIM_KIND_DISK;
}

int hcsshim__kind_is_number(uint8_t kind)
{
    return kind == HCSSHIM_KIND_U32 || kind == HCSSHIM_KIND_U16 ||
           kind == HCSSHIM_KIND_U64;
}

int hcsshim__kind_is_handle(uint8_t kind)
{
    return kind == HCSSHIM_KIND_SYSTEM || kind == HCSSHIM_KIND_PROCESS ||
           kind == HCSSHIM_KIND_OBJECT;
}

static void put_u64(unsigned char *room, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        room[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get_u64(const unsigned char *bytes)
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

void hcsshim__frame_put_u32(unsigned char *room, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        room[i] = (unsigned char)(value >> 8 * i);
}

uint32_t hcsshim__frame_get_u32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
           (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void hcsshim__frame_put_header(unsigned char *room, const hcsshim__frame *frame)
{
    hcsshim__frame_put_u32(room, frame->length);
    hcsshim__frame_put_u32(room + 4,
                           (uint32_t)frame->kind | (uint32_t)frame->call << 16);
    put_u64(room + 8, frame->id);
    hcsshim__frame_put_u32(room + 16, (uint32_t)frame->hresult);
    hcsshim__frame_put_u32(room + 20, frame->detail);
}

void hcsshim__frame_get_header(const unsigned char *bytes,
                               hcsshim__frame *frame)
{
    uint32_t kind_and_call = hcsshim__frame_get_u32(bytes + 4);

    frame->length = hcsshim__frame_get_u32(bytes);
    frame->kind = (uint16_t)kind_and_call;
    frame->call = (uint16_t)(kind_and_call >> 16);
    frame->id = get_u64(bytes + 8);
    frame->hresult = (int32_t)hcsshim__frame_get_u32(bytes + 16);
    frame->detail = hcsshim__frame_get_u32(bytes + 20);
}

size_t hcsshim__frame_measure(const hcsshim_call_row *row,
                              const hcsshim_value *values, size_t count)
{
    size_t length = HCSSHIM_WIRE_HEADER, next = 0;

    for (const uint8_t *kind = row->kinds; *kind != HCSSHIM_KIND_END; kind++) {
        switch (*kind) {
        case HCSSHIM_KIND_OUT_SYSTEM:
        case HCSSHIM_KIND_OUT_PROCESS:
        case HCSSHIM_KIND_OUT_OBJECT:
            length += 8;
            continue;
        case HCSSHIM_KIND_TEXT:
        case HCSSHIM_KIND_LAYERS:
        case HCSSHIM_KIND_DISK:
        case HCSSHIM_KIND_GUID:
        case HCSSHIM_KIND_U32:
        case HCSSHIM_KIND_U16:
            length += 4;
            break;
        case HCSSHIM_KIND_SYSTEM:
        case HCSSHIM_KIND_PROCESS:
        case HCSSHIM_KIND_U64:
        case HCSSHIM_KIND_OBJECT:
            length += 8;
            break;
        default:
            continue;
        }
        if (next == count)
            return 0;
        if (hcsshim__kind_is_text(*kind) && values[next].text != NULL) {
            if (values[next].length > HCSSHIM_WIRE_LARGEST - length)
                return 0;
            length += values[next].length;
        }
        if (*kind == HCSSHIM_KIND_U32 && values[next].number > UINT32_MAX)
            return 0;
        if (*kind == HCSSHIM_KIND_U16 && values[next].number > UINT16_MAX)
            return 0;
        next++;
    }
    return next == count && length <= HCSSHIM_WIRE_LARGEST ? length : 0;
}

static unsigned char *put_text(unsigned char *room, const hcsshim_value *value)
{
    if (value->text == NULL) {
        hcsshim__frame_put_u32(room, HCSSHIM_WIRE_NULL);
        return room + 4;
    }
    hcsshim__frame_put_u32(room, (uint32_t)value->length);
    if (value->length > 0)
        memcpy(room + 4, value->text, value->length);
    return room + 4 + value->length;
}

void hcsshim__frame_write(unsigned char *room, size_t length,
                          const hcsshim_call_row *row,
                          const hcsshim_value *values, uint64_t ticket,
                          uint64_t handle)
{
    hcsshim__frame frame = {.length = (uint32_t)length,
                            .kind = HCSSHIM_FRAME_CALL,
                            .call = (uint16_t)row->number,
                            .id = ticket};

    hcsshim__frame_put_header(room, &frame);
    room += HCSSHIM_WIRE_HEADER;
    for (const uint8_t *kind = row->kinds; *kind != HCSSHIM_KIND_END; kind++) {
        switch (*kind) {
        case HCSSHIM_KIND_OUT_SYSTEM:
        case HCSSHIM_KIND_OUT_PROCESS:
        case HCSSHIM_KIND_OUT_OBJECT:
            put_u64(room, handle);
            room += 8;
            break;
        case HCSSHIM_KIND_TEXT:
        case HCSSHIM_KIND_LAYERS:
        case HCSSHIM_KIND_DISK:
        case HCSSHIM_KIND_GUID:
            room = put_text(room, values++);
            break;
        case HCSSHIM_KIND_U32:
        case HCSSHIM_KIND_U16:
            hcsshim__frame_put_u32(room, (uint32_t)(values++)->number);
            room += 4;
            break;
        case HCSSHIM_KIND_SYSTEM:
        case HCSSHIM_KIND_PROCESS:
        case HCSSHIM_KIND_U64:
        case HCSSHIM_KIND_OBJECT:
            put_u64(room, (values++)->number);
            room += 8;
            break;
        default:
            break;
        }
    }
}

int hcsshim__frame_get_text(const unsigned char *body, size_t size, size_t *at,
                            const char **text, size_t *length)
{
    uint32_t count;

    *text = NULL;
    *length = 0;
    if (size - *at < 4)
        return 0;
    count = hcsshim__frame_get_u32(body + *at);
    *at += 4;
    if (count == HCSSHIM_WIRE_NULL)
        return 1;
    if (size - *at < count)
        return 0;
    *text = (const char *)body + *at;
    *length = count;
    *at += count;
    return 1;
}

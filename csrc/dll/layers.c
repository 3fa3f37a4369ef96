/* layers.c - arrays of WC_LAYER_DESCRIPTOR as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dll/dll.h"

/* Text that grows. */
struct writer {
    char *bytes;
    size_t length, size;
    int failed;
};

static void put(struct writer *writer, const char *bytes, size_t length)
{
    if (writer->failed)
        return;
    if (writer->length + length + 1 > writer->size) {
        size_t size = (writer->length + length + 1) * 2;
        char *larger = realloc(writer->bytes, size);

        if (larger == NULL) {
            writer->failed = 1;
            return;
        }
        writer->bytes = larger;
        writer->size = size;
    }
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
    writer->bytes[writer->length] = '\0';
}

/* A JSON string of UTF-8 text. */
static void put_string(struct writer *writer, const char *text, size_t length)
{
    put(writer, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        char escaped[8];

        if (c == '"' || c == '\\')
            put(writer, "\\", 1);
        if (c >= 0x20) {
            put(writer, &text[i], 1);
        } else {
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
            put(writer, escaped, 6);
        }
    }
    put(writer, "\"", 1);
}

static void put_layer(struct writer *writer,
                      const hcsshim__layer_descriptor *layer)
{
    char id[HCSSHIM_GUID_TEXT];
    size_t length;
    char *path = hcsshim__text_narrow(layer->path, &length);

    if (path == NULL) {
        writer->failed = 1;
        return;
    }
    hcsshim__guid_write(&layer->id, id);
    put(writer, "{\"Id\":", 6);
    put_string(writer, id, HCSSHIM_GUID_TEXT - 1);
    put(writer, ",\"Path\":", 8);
    put_string(writer, path, length);
    put(writer, "}", 1);
    free(path);
}

HRESULT hcsshim__layers_write(const hcsshim__layer_descriptor *layers,
                              size_t count, char **text, size_t *length)
{
    struct writer writer = {0};

    *text = NULL;
    *length = 0;
    if (layers == NULL && count != 0)
        return E_POINTER;
    put(&writer, "[", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            put(&writer, ",", 1);
        put_layer(&writer, &layers[i]);
    }
    put(&writer, "]", 1);
    if (writer.failed) {
        free(writer.bytes);
        return E_OUTOFMEMORY;
    }
    *text = writer.bytes;
    *length = writer.length;
    return 0;
}

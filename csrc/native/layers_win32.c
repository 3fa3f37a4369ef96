/* layers_win32.c - WC_LAYER_DESCRIPTORs out of a JSON array of our own making.
 */
#include <objbase.h>
#include <stdlib.h>
#include <string.h>

#include "native/system_win32.h"

/* A reader of JSON; it knows arrays of objects with members that are strings.
 */
struct reader {
    const char *at, *end;
    int failed;
};

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL)
        reader->at++;
}

/* Take a character if it is the next. */
static int take(struct reader *reader, char c)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != c)
        return 0;
    reader->at++;
    return 1;
}

static unsigned read_hex(struct reader *reader)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        char c = reader->at < reader->end ? *reader->at++ : '\0';

        value <<= 4;
        if (c >= '0' && c <= '9')
            value |= (unsigned)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value |= (unsigned)((c | 32) - 'a' + 10);
        else
            reader->failed = 1;
    }
    return value;
}

/* UTF-8 of a string's piece up to an escape or its end. */
static size_t put_plain(struct reader *reader, wchar_t *room)
{
    const char *begin = reader->at;
    int count;

    while (reader->at < reader->end && *reader->at != '"' &&
           *reader->at != '\\')
        reader->at++;
    if (reader->at == begin)
        return 0;
    count = MultiByteToWideChar(CP_UTF8, 0, begin, (int)(reader->at - begin),
                                room, (int)(reader->at - begin));
    return (size_t)count;
}

static wchar_t read_escape(struct reader *reader)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *found;
    char c;

    reader->at++; /* the backslash */
    c = reader->at < reader->end ? *reader->at++ : '\0';
    if (c == 'u')
        return (wchar_t)read_hex(reader);
    found = c == '\0' ? NULL : strchr(names, c);
    if (found == NULL) {
        reader->failed = 1;
        return L'\0';
    }
    return (wchar_t)values[found - names];
}

/* A string, for CoTaskMemFree(); NULL if it is none. */
static wchar_t *read_string(struct reader *reader)
{
    wchar_t *text;
    size_t length = 0;

    if (!take(reader, '"'))
        return NULL;
    text =
        CoTaskMemAlloc((size_t)(reader->end - reader->at + 1) * sizeof *text);
    if (text == NULL)
        return NULL;
    while (!reader->failed && reader->at < reader->end && *reader->at != '"') {
        length += put_plain(reader, text + length);
        if (reader->at < reader->end && *reader->at == '\\')
            text[length++] = read_escape(reader);
    }
    text[length] = L'\0';
    if (reader->failed || !take(reader, '"')) {
        CoTaskMemFree(text);
        return NULL;
    }
    return text;
}

static int read_id(const wchar_t *text, GUID *id)
{
    size_t length;
    char *narrow = hcsshim__text_narrow(text, &length);
    int good = narrow != NULL && hcsshim__guid_read(narrow, id);

    free(narrow);
    return good;
}

/* The id of a layer that names none, as vmcompute has it. */
static void name_to_guid(hcsshim__layer *layer)
{
    union {
        FARPROC any;
        HRESULT(WINAPI *call)(const wchar_t *, GUID *);
    } function;
    const wchar_t *name = layer->path;

    for (const wchar_t *c = layer->path; *c != L'\0'; c++)
        if ((*c == L'\\' || *c == L'/') && c[1] != L'\0')
            name = c + 1;
    if (hcsshim__export_find("vmcompute", "NameToGuid", &function.any) >= 0)
        function.call(name, &layer->id);
}

static void read_member(struct reader *reader, hcsshim__layer *layer,
                        int *has_id)
{
    wchar_t *name = read_string(reader), *value = NULL;

    if (name == NULL || !take(reader, ':') ||
        (value = read_string(reader)) == NULL)
        reader->failed = 1;
    else if (wcscmp(name, L"Id") == 0)
        *has_id = read_id(value, &layer->id);
    else if (wcscmp(name, L"Path") == 0 && layer->path == NULL) {
        layer->path = value; /* the layer's now */
        value = NULL;
    }
    CoTaskMemFree(name);
    CoTaskMemFree(value);
}

static void read_layer(struct reader *reader, hcsshim__layer *layer)
{
    int has_id = 0;

    if (!take(reader, '{'))
        reader->failed = 1;
    while (!reader->failed && !take(reader, '}')) {
        read_member(reader, layer, &has_id);
        take(reader, ',');
    }
    if (layer->path == NULL)
        reader->failed = 1;
    else if (!has_id)
        name_to_guid(layer);
}

int32_t hcsshim__layers_read(const char *text, size_t length,
                             hcsshim__layer **layers, size_t *count)
{
    struct reader reader = {text, text + length, 0};
    hcsshim__layer *all = NULL;
    size_t used = 0;

    *layers = NULL;
    *count = 0;
    if (text == NULL)
        return 0;
    if (!take(&reader, '['))
        return HCSSHIM_E_INVALIDARG;
    while (!reader.failed && !take(&reader, ']')) {
        hcsshim__layer *more = realloc(all, (used + 1) * sizeof *all);

        if (more == NULL) {
            hcsshim__layers_free(all, used);
            return HCSSHIM_E_OUTOFMEMORY;
        }
        all = more;
        all[used] = (hcsshim__layer){.path = NULL};
        read_layer(&reader, &all[used++]);
        take(&reader, ',');
    }
    if (reader.failed) {
        hcsshim__layers_free(all, used);
        return HCSSHIM_E_INVALIDARG;
    }
    *layers = all;
    *count = used;
    return 0;
}

void hcsshim__layers_free(hcsshim__layer *layers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CoTaskMemFree(layers[i].path);
    free(layers);
}

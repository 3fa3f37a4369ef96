/*
 * Payloads: numbers are 32 bits, texts a number of bytes, the bytes, a NUL.
 * Lists are a number and their members.
 */
#include "silo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t silo_read_number(struct silo_reader *reader)
{
    uint32_t number = 0;

    if (reader->bad || reader->left < sizeof(number)) {
        reader->bad = true;
        return 0;
    }
    memcpy(&number, reader->at, sizeof(number));
    reader->at += sizeof(number);
    reader->left -= sizeof(number);
    return number;
}

const char *silo_read_text(struct silo_reader *reader)
{
    uint32_t size = silo_read_number(reader);
    const char *text = reader->at;

    if (reader->bad || reader->left == 0 || size > reader->left - 1 ||
        memchr(text, '\0', (size_t)size + 1) != text + size) {
        reader->bad = true;
        return "";
    }
    reader->at += (size_t)size + 1;
    reader->left -= (size_t)size + 1;
    return text;
}

char **silo_read_texts(struct silo_reader *reader, uint32_t *count)
{
    uint32_t n = silo_read_number(reader);
    char **texts = NULL;

    *count = 0;
    /* A text takes five bytes at least: no lie makes us allocate much. */
    if (n <= SILO_STRINGS_MAX && n <= reader->left / 5)
        texts = calloc((size_t)n + 1, sizeof(*texts));
    if (texts == NULL) {
        reader->bad = true;
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++)
        texts[i] = (char *)(uintptr_t)silo_read_text(reader);
    *count = n;
    return texts;
}

static int finish(const struct silo_reader *reader)
{
    if (!reader->bad && reader->left == 0)
        return 0;
    errno = EPROTO;
    return -1;
}

static struct silo_mapping read_mapping(struct silo_reader *reader)
{
    struct silo_mapping mapping;

    mapping.read_only = silo_read_number(reader) != 0;
    mapping.source = silo_read_text(reader);
    mapping.target = silo_read_text(reader);
    return mapping;
}

int silo_mapping_read(const char *payload, size_t size,
                      struct silo_mapping *mapping)
{
    struct silo_reader reader = {payload, size, false};

    *mapping = read_mapping(&reader);
    return finish(&reader);
}

int silo_config_read(const char *payload, size_t size,
                     struct silo_config *config)
{
    struct silo_reader reader = {payload, size, false};

    memset(config, 0, sizeof(*config));
    config->isolated = silo_read_number(&reader) != 0;
    config->has_scratch = silo_read_number(&reader) != 0;
    config->hostname = silo_read_text(&reader);
    config->scratch = silo_read_text(&reader);
    config->layers =
        (const char **)silo_read_texts(&reader, &config->layer_count);
    uint32_t n = silo_read_number(&reader);
    if (n <= reader.left / 14)
        config->mappings = calloc((size_t)n + 1, sizeof(*config->mappings));
    if (config->mappings == NULL)
        reader.bad = true;
    else
        for (; config->mapping_count < n; config->mapping_count++)
            config->mappings[config->mapping_count] = read_mapping(&reader);
    if (finish(&reader) == 0)
        return 0;
    silo_config_clear(config);
    errno = EPROTO;
    return -1;
}

void silo_config_clear(struct silo_config *config)
{
    free(config->layers);
    free(config->mappings);
    memset(config, 0, sizeof(*config));
}

int silo_command_read(const char *payload, size_t size,
                      struct silo_command *command)
{
    struct silo_reader reader = {payload, size, false};
    uint32_t argument_count = 0;
    uint32_t ignored = 0;

    memset(command, 0, sizeof(*command));
    command->console = silo_read_number(&reader) != 0;
    command->rows = silo_read_number(&reader);
    command->columns = silo_read_number(&reader);
    command->user = silo_read_text(&reader);
    command->directory = silo_read_text(&reader);
    command->arguments = silo_read_texts(&reader, &argument_count);
    command->environment = silo_read_texts(&reader, &ignored);
    if (argument_count > 0 && finish(&reader) == 0)
        return 0;
    silo_command_clear(command);
    errno = argument_count == 0 && !reader.bad ? EINVAL : EPROTO;
    return -1;
}

void silo_command_clear(struct silo_command *command)
{
    free(command->arguments);
    free(command->environment);
    memset(command, 0, sizeof(*command));
}

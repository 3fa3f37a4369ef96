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
    config->root = (enum silo_root_kind)silo_read_number(&reader);
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

static uint64_t read_long(struct silo_reader *reader)
{
    uint32_t halves[2];
    uint64_t number;

    halves[0] = silo_read_number(reader);
    halves[1] = silo_read_number(reader);
    memcpy(&number, halves, sizeof(number));
    return number;
}

/* What confines the command: flags, mask, capabilities, groups, limits. */
static void read_confinement(struct silo_reader *reader,
                             struct silo_command *command)
{
    command->flags = silo_read_number(reader);
    command->umask = silo_read_number(reader);
    command->capabilities = read_long(reader);
    uint32_t n = silo_read_number(reader);
    if (n <= reader->left / 4)
        command->groups = calloc((size_t)n + 1, sizeof(*command->groups));
    if (command->groups == NULL) {
        reader->bad = true;
        return;
    }
    for (; command->group_count < n; command->group_count++)
        command->groups[command->group_count] = silo_read_number(reader);
    n = silo_read_number(reader);
    if (n <= reader->left / 20)
        command->limits = calloc((size_t)n + 1, sizeof(*command->limits));
    if (command->limits == NULL) {
        reader->bad = true;
        return;
    }
    for (; command->limit_count < n; command->limit_count++) {
        struct silo_limit *limit = &command->limits[command->limit_count];
        limit->resource = silo_read_number(reader);
        limit->soft = read_long(reader);
        limit->hard = read_long(reader);
    }
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
    read_confinement(&reader, command);
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
    free(command->groups);
    free(command->limits);
    memset(command, 0, sizeof(*command));
}

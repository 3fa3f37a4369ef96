/* log.c - lines for a log of containers: see log.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native/connection.h"
#include "native/hresult.h"
#include "relay/log.h"
#include "relay/relay.h"

#define HEAD 64            /* time, stream and tag, with room to spare */
#define ROOM (64u * 1024u) /* of what is written at once */

struct hcsshim__log {
    int64_t file;
    const char *stream;
    int32_t hresult; /* the first failure */
    size_t used;     /* of the line that is not complete */
    size_t filled;   /* of 'out' */
    size_t headed;   /* of 'head' */
    char head[HEAD]; /* the time of this batch, its stream, and a tag */
    char line[HCSSHIM_LOG_LINE];
    char out[ROOM];
};

hcsshim__log *hcsshim__log_new(int64_t file, const char *stream)
{
    hcsshim__log *log = malloc(sizeof *log);

    if (log == NULL)
        return NULL;
    log->file = file;
    log->stream = stream;
    log->hresult = 0;
    log->used = 0;
    log->filled = 0;
    return log;
}

/* The date of a count of days since 1970, in the calendar of today. */
static void date_of(int64_t days, int *year, int *month, int *day)
{
    /* Years begin in March here, so that the odd day comes last. */
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t years =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t from_march = (5 * of_year + 2) / 153;

    *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (int)(years + era * 400 + (*month <= 2));
}

/* Take the time once for all lines of a batch. */
static void look_at_clock(hcsshim__log *log)
{
    int64_t seconds;
    int32_t nanoseconds;
    int year, month, day, of_day;

    hcsshim__clock_read(&seconds, &nanoseconds);
    date_of(seconds / 86400, &year, &month, &day);
    of_day = (int)(seconds % 86400);
    log->headed =
        (size_t)snprintf(log->head, sizeof log->head,
                         "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ %s F ", year,
                         month, day, of_day / 3600, of_day / 60 % 60,
                         of_day % 60, (int)nanoseconds, log->stream);
}

static void flush(hcsshim__log *log)
{
    if (log->filled > 0 && log->hresult == 0)
        log->hresult = hcsshim__file_append(log->file, log->out, log->filled);
    log->filled = 0;
}

/* Put the line into the batch: 'F' ends it, after 'P' it goes on. */
static void emit(hcsshim__log *log, char tag)
{
    if (log->filled + HEAD + log->used + 1 > ROOM)
        flush(log);
    log->head[log->headed - 2] = tag;
    memcpy(log->out + log->filled, log->head, log->headed);
    log->filled += log->headed;
    memcpy(log->out + log->filled, log->line, log->used);
    log->filled += log->used;
    log->out[log->filled++] = '\n';
    log->used = 0;
}

void hcsshim__log_write(hcsshim__log *log, const char *bytes, size_t length)
{
    if (log->hresult < 0)
        return;
    look_at_clock(log);
    while (length > 0) {
        const char *end;
        size_t part;

        if (log->used == HCSSHIM_LOG_LINE && *bytes != '\n')
            emit(log, 'P');
        part = HCSSHIM_LOG_LINE - log->used;
        if (part > length)
            part = length;
        end = memchr(bytes, '\n', part < length ? part + 1 : part);
        if (end != NULL)
            part = (size_t)(end - bytes);
        memcpy(log->line + log->used, bytes, part);
        log->used += part;
        bytes += part;
        length -= part;
        if (end != NULL) {
            emit(log, 'F');
            bytes++;
            length--;
        }
    }
    flush(log);
}

int32_t hcsshim__log_end(hcsshim__log *log)
{
    int32_t hresult;

    if (log->used > 0 && log->hresult == 0) {
        look_at_clock(log);
        emit(log, 'F');
        flush(log);
    }
    hresult = log->hresult;
    hcsshim__file_close(log->file);
    free(log);
    return hresult;
}

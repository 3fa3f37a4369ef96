/* unpack_work.c - what is due, and who does it. */
#include "layer/unpack_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer/file.h"

/* As many free pieces are worth waking somebody who would read into them. */
#define WORTH (HCSSHIM__WORK_PIECES / 2)
/* Pieces that are read before others are taken apart, lest all wait for one. */
#define AHEAD 3

static uint32_t in_use(const struct hcsshim__work *work)
{
    return work->filled - work->freed;
}

static hcsshim__work_piece *piece_of(struct hcsshim__work *work, uint32_t count)
{
    return &work->pieces[count % HCSSHIM__WORK_PIECES];
}

/* ---- waiting and waking ------------------------------------------------ */

static void open_gate(hcsshim__gate *gate)
{
    hcsshim__gate_open(gate, atomic_load(&gate->word) + 1);
}

static void tell(struct hcsshim__work *work)
{
    if (work->waiting > 0)
        open_gate(&work->reached);
}

void hcsshim__work_publish(struct hcsshim__work *work)
{
    if (work->sleeping > 0)
        open_gate(&work->due);
    tell(work);
}

static void wait_at(struct hcsshim__work *work, hcsshim__gate *gate,
                    unsigned *count)
{
    uint32_t word = atomic_load(&gate->word);

    ++*count;
    hcsshim__mutex_unlock(&work->lock);
    (void)hcsshim__gate_wait(gate, word, HCSSHIM_FOREVER);
    hcsshim__mutex_lock(&work->lock);
    --*count;
}

void hcsshim__work_await(struct hcsshim__work *work)
{
    wait_at(work, &work->reached, &work->waiting);
}

void hcsshim__work_fail(struct hcsshim__work *work, int32_t hr,
                        const char *problem)
{
    if (work->error < 0)
        return;
    work->error = hr;
    (void)snprintf(work->problem, sizeof work->problem, "%s", problem);
}

/* ---- pieces ------------------------------------------------------------ */

void hcsshim__work_release(struct hcsshim__work *work, uint32_t piece)
{
    uint32_t before = in_use(work);

    work->pieces[piece].users--;
    while (work->freed != work->filled &&
           piece_of(work, work->freed)->users == 0)
        work->freed++;
    if (before > WORTH && in_use(work) <= WORTH)
        hcsshim__work_publish(work);
}

static void help(void *context);

/* Without helpers the caller does all; a tar of one piece needs none. */
static void start_helpers(struct hcsshim__work *work)
{
    work->process = hcsshim__process_id();
    while (work->helper_count < HCSSHIM__WORK_HELPERS &&
           hcsshim__thread_start(&work->helpers[work->helper_count], help,
                                 work) >= 0)
        work->helper_count++;
}

/* The next piece holds bytes: they are to be hashed, and to be taken apart. */
static void push_piece(struct hcsshim__work *work, size_t length)
{
    hcsshim__work_piece *piece = piece_of(work, work->filled);

    piece->length = length;
    piece->users = work->digests ? 2 : 1;
    work->filled++;
    if (work->filled > 1 && work->helper_count == 0)
        start_helpers(work);
    hcsshim__work_publish(work);
}

/* ---- what may be due --------------------------------------------------- */

static void hash_piece(struct hcsshim__work *work)
{
    uint32_t at = work->hashed % HCSSHIM__WORK_PIECES;
    hcsshim__work_piece *piece = &work->pieces[at];

    work->hashing = 1;
    hcsshim__mutex_unlock(&work->lock);
    hcsshim__sha256_update(&work->unpack->digest, piece->data, piece->length);
    hcsshim__mutex_lock(&work->lock);
    work->hashing = 0;
    work->hashed++;
    hcsshim__work_release(work, at);
}

static void parse_piece(struct hcsshim__work *work)
{
    uint32_t at = work->parsed % HCSSHIM__WORK_PIECES;
    hcsshim__work_piece *piece = &work->pieces[at];
    int32_t hr;

    work->parsing = 1;
    hcsshim__mutex_unlock(&work->lock);
    hr = hcsshim__unpack_take(work->unpack, piece->data, piece->length);
    hcsshim__mutex_lock(&work->lock);
    if (hr < 0)
        hcsshim__work_fail(work, hr, work->unpack->problem);
    hcsshim__making_share(work);
    work->parsing = 0;
    work->parsed++;
    hcsshim__work_release(work, at);
}

static void read_piece(struct hcsshim__work *work)
{
    hcsshim__work_piece *piece = piece_of(work, work->filled);
    int64_t source = work->source;
    size_t got = 0;
    int32_t hr;

    work->reading = 1;
    hcsshim__mutex_unlock(&work->lock);
    hr = hcsshim__file_read(source, piece->data, HCSSHIM__FILE_PIECE, &got);
    hcsshim__mutex_lock(&work->lock);
    work->reading = 0;
    work->got += got;
    work->left -= got < work->left ? got : work->left;
    work->ended = got == 0;
    if (hr < 0)
        hcsshim__work_fail(work, hr, "");
    else if (got > 0)
        push_piece(work, got);
}

static int can_read(const struct hcsshim__work *work)
{
    return work->left > 0 && !work->ended && !work->reading &&
           in_use(work) < HCSSHIM__WORK_PIECES;
}

/*
 * Do one thing. Returns 0 if none is due.
 *
 * The digest comes first, since nothing else takes its turn for it; what is
 * begun comes before what is not, since its bytes are near.
 */
static int do_one(struct hcsshim__work *work)
{
    void (*deed)(struct hcsshim__work *) = NULL;

    if (work->error >= 0 && !work->stopping) {
        if (work->digests && !work->hashing && work->hashed != work->filled)
            deed = hash_piece;
        else if (can_read(work) && work->filled - work->parsed < AHEAD)
            deed = read_piece;
        else if (work->first != NULL)
            deed = hcsshim__making_run;
        else if (!work->parsing && work->parsed != work->filled)
            deed = parse_piece;
        else if (can_read(work))
            deed = read_piece;
    }
    if (deed == NULL)
        return 0;
    work->active++;
    deed(work);
    work->active--;
    /* Who waits for room is told when there is enough to be worth it. */
    if (deed != hash_piece || work->hashed == work->filled || work->error < 0)
        tell(work);
    return 1;
}

static void help(void *context)
{
    struct hcsshim__work *work = context;

    hcsshim__mutex_lock(&work->lock);
    while (!work->stopping)
        if (!do_one(work))
            wait_at(work, &work->due, &work->sleeping);
    hcsshim__mutex_unlock(&work->lock);
}

/* Work until something is reached; after an error until nobody works. */
static int32_t work_until(struct hcsshim__work *work,
                          int (*reached)(const struct hcsshim__work *))
{
    while (work->error >= 0 && !reached(work))
        if (!do_one(work))
            hcsshim__work_await(work);
    while (work->error < 0 && work->active > 0)
        hcsshim__work_await(work);
    if (work->error < 0)
        memcpy(work->unpack->problem, work->problem, sizeof work->problem);
    return work->error;
}

/* ---- what the unpack sees ---------------------------------------------- */

static int has_room(const struct hcsshim__work *work)
{
    return in_use(work) < HCSSHIM__WORK_PIECES;
}

static int is_read(const struct hcsshim__work *work)
{
    return !work->reading && (work->left == 0 || work->ended);
}

static int is_drained(const struct hcsshim__work *work)
{
    return in_use(work) == 0 && work->first == NULL && work->active == 0;
}

static void push_fed(struct hcsshim__work *work)
{
    if (work->fed > 0)
        push_piece(work, work->fed);
    work->fed = 0;
}

int32_t hcsshim__work_room(struct hcsshim__work *work, uint8_t **data,
                           size_t *room)
{
    int32_t hr;

    hcsshim__mutex_lock(&work->lock);
    hr = work->fed == 0 ? work_until(work, has_room) : work->error;
    *data = piece_of(work, work->filled)->data + work->fed;
    *room = HCSSHIM__FILE_PIECE - work->fed;
    hcsshim__mutex_unlock(&work->lock);
    return hr;
}

int32_t hcsshim__work_fill(struct hcsshim__work *work, size_t length)
{
    int32_t hr = 0;

    hcsshim__mutex_lock(&work->lock);
    if (length > HCSSHIM__FILE_PIECE - work->fed)
        hr = HCSSHIM_E_INVALIDARG;
    else
        work->fed += length;
    if (work->fed == HCSSHIM__FILE_PIECE)
        push_fed(work);
    hcsshim__mutex_unlock(&work->lock);
    return hr;
}

int32_t hcsshim__work_feed(struct hcsshim__work *work, const uint8_t *data,
                           size_t length)
{
    int32_t hr = 0;

    while (length > 0 && hr >= 0) {
        uint8_t *to;
        size_t part;

        hr = hcsshim__work_room(work, &to, &part);
        if (hr < 0)
            break;
        part = part < length ? part : length;
        memcpy(to, data, part);
        hr = hcsshim__work_fill(work, part);
        data += part;
        length -= part;
    }
    return hr;
}

int32_t hcsshim__work_read(struct hcsshim__work *work, int64_t file,
                           uint64_t limit, uint64_t *got)
{
    int32_t hr;

    hcsshim__mutex_lock(&work->lock);
    push_fed(work);
    work->source = file;
    work->got = 0;
    work->ended = 0;
    work->left = limit;
    hr = work_until(work, is_read);
    work->left = 0;
    *got = work->got;
    hcsshim__mutex_unlock(&work->lock);
    return hr;
}

int32_t hcsshim__work_drain(struct hcsshim__work *work)
{
    int32_t hr;

    hcsshim__mutex_lock(&work->lock);
    push_fed(work);
    hr = work_until(work, is_drained);
    hcsshim__mutex_unlock(&work->lock);
    return hr;
}

/* ---- begin and end ------------------------------------------------------ */

int32_t hcsshim__work_new(hcsshim_unpack *unpack, struct hcsshim__work **out)
{
    struct hcsshim__work *work = calloc(1, sizeof *work);
    int32_t hr;

    *out = NULL;
    if (work == NULL)
        return HCSSHIM_E_OUTOFMEMORY;
    hr = hcsshim__mutex_init(&work->lock);
    if (hr < 0) {
        free(work);
        return hr;
    }
    work->unpack = unpack;
    work->digests = (unpack->flags & HCSSHIM_UNPACK_UNHASHED) == 0;
    for (size_t i = 0; i < HCSSHIM__WORK_FILES; i++) {
        work->files[i].file = -1;
        work->files[i].next = work->spare;
        work->spare = &work->files[i];
    }
    for (size_t i = 0; i < HCSSHIM__WORK_PIECES && hr >= 0; i++) {
        hcsshim__work_piece *piece = &work->pieces[i];

        piece->data = hcsshim__file_buffer(HCSSHIM__FILE_PIECE, &piece->memory);
        if (piece->data == NULL)
            hr = HCSSHIM_E_OUTOFMEMORY;
    }
    if (hr < 0)
        hcsshim__work_free(work);
    else
        *out = work;
    return hr;
}

void hcsshim__work_free(struct hcsshim__work *work)
{
    if (work == NULL ||
        (work->helper_count > 0 && work->process != hcsshim__process_id()))
        return;
    hcsshim__mutex_lock(&work->lock);
    work->stopping = 1;
    hcsshim__work_publish(work);
    hcsshim__mutex_unlock(&work->lock);
    while (work->helper_count > 0)
        hcsshim__thread_join(work->helpers[--work->helper_count]);
    hcsshim__making_free_all(work);
    for (size_t i = 0; i < HCSSHIM__WORK_PIECES; i++)
        free(work->pieces[i].memory);
    hcsshim__mutex_destroy(&work->lock);
    free(work);
}

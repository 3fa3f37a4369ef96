/*
 * The silo program: the first process of an isolated place on Linux.
 *
 * It is a program of its own, statically linked, single-threaded, and knows
 * nothing of compute systems. The host talks to it over one SOCK_SEQPACKET
 * socket: a packet is a structure below plus what it announces. Numbers are
 * native. Functions that can fail return 0 or -1 and fill a silo_failure.
 * Everything here runs on the one thread of its process.
 */
#ifndef HCSSHIM_SILO_H
#define HCSSHIM_SILO_H

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The descriptors that the host places for the program. */
enum { SILO_SOCKET = 3, SILO_HOST = 4 };

enum {
    SILO_INLINE_MAX = 64 * 1024,         /* beyond it a payload is a memfd */
    SILO_PAYLOAD_MAX = 64 * 1024 * 1024, /* longer ones are refused */
    SILO_STRINGS_MAX = 1024 * 1024,
    SILO_TEXT_MAX = 4 * 1024 * 1024, /* of /etc/passwd and /etc/group */
    SILO_FILES_MAX = 4
};

enum silo_request_kind {
    SILO_CONFIGURE = 1,
    SILO_START = 2,
    SILO_SIGNAL = 3,
    SILO_TERMINATE = 4,
    SILO_MAP = 5,
    SILO_UNMAP = 6
};

enum silo_request_flags {
    SILO_IN_MEMORY = 1, /* the first descriptor is a memfd with the payload */
    SILO_STDIN = 2,     /* then follow the descriptors of these */
    SILO_STDOUT = 4,
    SILO_STDERR = 8
};

struct silo_request {
    uint32_t kind;
    uint32_t size; /* of the payload, inline or in the memfd */
    uint64_t token;
    int32_t pid;
    int32_t number;
    uint32_t flags;
    uint32_t zero;
};
static_assert(sizeof(struct silo_request) == 32, "the host packs it so");

enum silo_reply_kind {
    SILO_LAUNCHED = 1,
    SILO_READY = 2,
    SILO_FAILED = 3,
    SILO_STARTED = 4,
    SILO_REFUSED = 5,
    SILO_EXITED = 6,
    SILO_EMPTY = 7 /* all are dead, as they were told to be, and init ends */
};

struct silo_reply {
    uint32_t kind;
    int32_t pid;
    uint64_t token;
    int32_t status; /* wait status, or errno */
    uint32_t stage_size;
    uint32_t path_size; /* the texts follow, without NUL */
    uint32_t zero;
};
static_assert(sizeof(struct silo_reply) == 32, "the host unpacks it so");

/* Why something did not work: 'stage' is static, for a person. */
struct silo_failure {
    int error;
    const char *stage;
    char path[PATH_MAX];
};

/* A received request. 'payload' is NUL-terminated past its size. */
struct silo_packet {
    struct silo_request request;
    char *payload;
    int files[3]; /* -1 where none came */
    char inline_payload[SILO_INLINE_MAX + 1];
};

/* A place in a payload; 'bad' sticks once anything was out of bounds. */
struct silo_reader {
    const char *at;
    size_t left;
    bool bad;
};

struct silo_mapping {
    const char *source;
    const char *target;
    bool read_only;
};

/* What becomes of writes to the root. */
enum silo_root_kind {
    SILO_ROOT_LAYERED = 0,  /* the layers stay as they are */
    SILO_ROOT_IN_PLACE = 1, /* the only layer takes them */
    SILO_ROOT_READ_ONLY = 2 /* they fail */
};

/* Points into the packet that it was read from. */
struct silo_config {
    bool isolated;
    bool has_scratch;
    bool all_users; /* the identity map was granted, not one user only */
    enum silo_root_kind root;
    const char *hostname;
    const char *scratch;
    uint32_t layer_count;
    const char **layers;
    uint32_t mapping_count;
    struct silo_mapping *mappings;
};

enum silo_command_flags {
    SILO_HAS_CAPABILITIES = 1, /* instead of the usual ones */
    SILO_HAS_UMASK = 2,
    SILO_NO_NEW_PRIVILEGES = 4
};

struct silo_limit {
    uint32_t resource;
    uint64_t soft;
    uint64_t hard;
};

struct silo_command {
    bool console;
    uint32_t flags; /* enum silo_command_flags */
    uint32_t umask;
    uint64_t capabilities;
    uint32_t group_count; /* more groups of the user, malloc'd */
    gid_t *groups;
    uint32_t limit_count;
    struct silo_limit *limits; /* malloc'd */
    uint32_t rows;
    uint32_t columns;
    const char *user;
    const char *directory;
    char **arguments;   /* NULL-terminated, at least one */
    char **environment; /* NULL-terminated */
};

/* Who a command runs as. 'groups' is malloc'd. */
struct silo_account {
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    size_t group_count;
};

/* failure.c: remember errno, stage and path (may be NULL). Returns -1. */
int silo_fail(struct silo_failure *failure, const char *stage,
              const char *path);

/*
 * packet.c
 *
 * silo_packet_receive() waits for a request. 'packet' is the caller's; release
 * it with silo_packet_clear(). Returns 1, 0 at the end of the stream, or -1
 * with errno. Lengths are checked; EPROTO if they lie.
 */
int silo_packet_receive(int socket, struct silo_packet *packet);
void silo_packet_clear(struct silo_packet *packet);
/* Send one reply, with 'failure' or NULL, and descriptor 'file' or -1. */
int silo_reply_send(int socket, const struct silo_reply *reply,
                    const struct silo_failure *failure, int file);

/* payload.c: read what the host packed. Results point into the payload. */
uint32_t silo_read_number(struct silo_reader *reader);
const char *silo_read_text(struct silo_reader *reader);
/* A counted list, malloc'd and NULL-terminated; NULL sets reader->bad. */
char **silo_read_texts(struct silo_reader *reader, uint32_t *count);
int silo_config_read(const char *payload, size_t size,
                     struct silo_config *config);
void silo_config_clear(struct silo_config *config);
int silo_command_read(const char *payload, size_t size,
                      struct silo_command *command);
void silo_command_clear(struct silo_command *command);
int silo_mapping_read(const char *payload, size_t size,
                      struct silo_mapping *mapping);

/*
 * account.c: find 'user' ("", name, uid, uid:gid, name:group) in the texts of
 * passwd and group, which need no NUL at their ends. Returns 0 or -1 with
 * errno ENOENT, EINVAL, or ENOMEM. Free account->groups.
 */
struct silo_text {
    const char *data;
    size_t size;
};
int silo_account_find(const char *user, struct silo_text passwd,
                      struct silo_text group, struct silo_account *account);
/* The same with /etc/passwd and /etc/group as this process sees them. */
int silo_account_load(const char *user, struct silo_account *account);

/* launch.c: make the namespaces and the init process in them. */
_Noreturn void silo_launch(bool shares_network);

/* Wait for the configuration; does not return without a good one. */
void silo_configure(struct silo_config *config);

/*
 * root.c
 *
 * silo_stage_build() prepares, in the current directory from then on, what is
 * the same in every silo. 'machine' becomes the descriptor of the machine's
 * root.
 */
int silo_stage_build(bool all_users, bool shares_network, int *machine,
                     struct silo_failure *failure);
/* Mount what the configuration says and make it this process's root. Closes
 * 'machine'. */
int silo_root_build(const struct silo_config *config, int machine,
                    struct silo_failure *failure);

/*
 * The same for the layers alone, in this mount namespace: read-only without a
 * scratch folder, which takes two layers at least.
 */
int silo_layers_mount(const struct silo_config *config, const char *target,
                      struct silo_failure *failure);

/* volume.c: mount layers for the machine's own programs until told to end. */
_Noreturn void silo_volume(void);

/* overlay.c: mount layers, given as descriptors, on the directory 'target'. */
int silo_overlay_mount(const int *layers, uint32_t count, const char *upper,
                       const char *work, const char *target,
                       struct silo_failure *failure);

/*
 * graft.c: make the machine's root the lower layer below 'root', a directory.
 * The current directory holds empty directories "base" and "empty".
 */
int silo_machine_graft(int machine, const char *upper, const char *work,
                       const char *root, struct silo_failure *failure);

/* devices.c: mount proc, sys and dev in the current directory. */
int silo_system_mount(int machine, bool all_users,
                      struct silo_failure *failure);

/* bind.c */
/* Make a directory and its parents. Returns 0 or -1 with errno. */
int silo_directory_make(const char *path);
/* Make what 'source' is, a directory or a file, at 'target'. */
int silo_target_make(int source, const char *target);
/* Mount the file or directory behind 'source', an O_PATH descriptor. */
int silo_bind(int source, const char *target, bool recursive, bool read_only,
              uint64_t more_attributes);
/* Mount 'mapping', whose source is open, on its target, made if missing. */
int silo_mapping_mount(int source, const struct silo_mapping *mapping,
                       struct silo_failure *failure);

/* privilege.c: in a command's process; plain system calls only. */
/* The capabilities that a command has, if it runs as root. */
uint64_t silo_privileges_of(const struct silo_command *command);
/* Take all others away for good. */
int silo_privileges_reduce(uint64_t granted);
int silo_limits_set(const struct silo_command *command);
/* 'granted' is NULL if capabilities are left as they are. */
int silo_user_switch(const struct silo_account *account, bool with_groups,
                     const uint64_t *granted);

/*
 * command.c
 *
 * Make the end of a stack that commands are started on, one after another;
 * NULL with errno. It is touched, so that no command waits for its memory.
 */
char *silo_command_stack(void);
/*
 * Start a process like vfork and exec. 'console' becomes the master's
 * descriptor, the caller's, or -1. Returns the pid, or -1.
 */
pid_t silo_command_start(const struct silo_command *command,
                         const struct silo_config *config, char *stack,
                         const int files[3], int *console,
                         struct silo_failure *failure);

/* serve.c: answer requests until the host is gone or wants the end. */
_Noreturn void silo_serve(const struct silo_config *config, char *stack);

/* descendants.c: SIGKILL every descendant of this process and reap them;
 * 'ended' is told of each. For a supervisor without a pid namespace. */
void silo_descendants_kill(void (*ended)(void *context, pid_t pid, int status),
                           void *context);

/* enter.c: map or unmap a directory of a running silo, then exit. */
_Noreturn void silo_enter(void);

#endif

#pragma once

#if !__has_include(<git2.h>)
#error "git2.h is missing. On Debian: apt-get install libgit2-dev"
#endif
#include <git2.h>
#include <git2/odb_backend.h>
// git_error_set_str lives here since 1.8, in git2/errors.h before.
#if __has_include(<git2/sys/errors.h>)
#include <git2/sys/errors.h>
#endif
#include <git2/sys/stream.h>

// git_libgit2_opts is variadic, which Swift can't call.
static inline int slipway_set_search_path(int level, const char *path) {
    return git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, path);
}

static inline int slipway_set_owner_validation(int enabled) {
    return git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, enabled);
}

// A stream over a socket. Its first four members are laid out as libgit2's own git_socket_stream (1.5 to 1.9), because
// its ssh transport takes the socket out of whatever stream it is given; `call` is ours.
typedef struct {
    git_stream parent;
    char *host;
    char *port;
    int socket;
    void *call;
} slipway_stream;

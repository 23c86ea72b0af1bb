#pragma once

#if !__has_include(<microhttpd.h>)
#error "microhttpd.h is missing. On Debian: apt-get install libmicrohttpd-dev"
#endif
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

/* What the daemon calls back; it lives as long as the daemon. */
struct mhd_callbacks {
    void *context;
    void *(*line)(void *context, const char *target, struct MHD_Connection *connection);
    MHD_AccessHandlerCallback access;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection;
    void (*say)(void *context, const char *sentence);
};

struct mhd_limits {
    unsigned int connections;
    unsigned int idle_seconds;
    unsigned int threads;
    size_t connection_memory;
    size_t stack;
};

/* A va_list is not the same kind of thing on every machine, so the sentence is made here. */
static inline void mhd_log(void *callbacks, const char *format, va_list arguments) {
    struct mhd_callbacks *c = (struct mhd_callbacks *) callbacks;
    char sentence[512];
    vsnprintf(sentence, sizeof sentence, format, arguments);
    c->say(c->context, sentence);
}

/* MHD_start_daemon is variadic, which Swift can't call. The logger has to be the first option. */
static inline struct MHD_Daemon *mhd_start(struct mhd_callbacks *c, const struct mhd_limits *limits) {
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, c->access, c->context,
        MHD_OPTION_EXTERNAL_LOGGER, mhd_log, (void *) c,
        MHD_OPTION_URI_LOG_CALLBACK, c->line, c->context,
        MHD_OPTION_NOTIFY_COMPLETED, c->completed, c->context,
        MHD_OPTION_NOTIFY_CONNECTION, c->connection, c->context,
        MHD_OPTION_CONNECTION_LIMIT, limits->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, limits->idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits->connection_memory,
        MHD_OPTION_THREAD_POOL_SIZE, limits->threads,
        MHD_OPTION_THREAD_STACK_SIZE, limits->stack,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
}

/* MHD_get_connection_info is variadic too. */
static inline int mhd_socket(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static inline void *mhd_socket_context(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* Macros with a cast don't come through. */
static const ssize_t mhd_end_of_stream = MHD_CONTENT_READER_END_OF_STREAM;
static const ssize_t mhd_end_with_error = MHD_CONTENT_READER_END_WITH_ERROR;

/* Declared only for _GNU_SOURCE, which Swift doesn't set. accept and fcntl would leave a moment in which a child process
   could inherit the connection and keep it open. */
extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
static inline int mhd_accept(int socket, struct sockaddr *address, socklen_t *length) {
    return accept4(socket, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

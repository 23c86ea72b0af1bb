#pragma once

// Child processes that cannot outlive the service. Everything between fork and exec has to be C: the service has many
// threads, so only async-signal-safe calls are allowed there, and Swift promises no such thing.
//
// Slipway forks a supervisor, a copy of itself that never runs Swift again. It is the subreaper (prctl(2)) of the
// program that it starts, so that whatever is orphaned below it becomes its child, however it left its group or
// session. A socket joins it to Slipway: its end of file says that Slipway is dead.

// Without _GNU_SOURCE, which would make these types others than the ones that Foundation's modules have; what only it
// declares is called by number or declared here.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/memfd.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// fork() without the handlers of libraries, which may wait for locks of other threads (glibc 2.34).
extern pid_t _Fork(void);
extern pid_t vfork(void);

/// What to start, and the descriptors that become its 0, 1 and 2; `control` is the supervisor's end of the socket.
struct slipway_child {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *directory;
    /// Files of control groups (cgroup.procs) that the program writes itself into; ended by a null.
    char *const *groups;
    int input, output, errors, control;
    /// Milliseconds between SIGTERM and SIGKILL.
    int64_t grace;
    /// Milliseconds that the program may run; 0 is for ever.
    int64_t timeout;
    /// Milliseconds that descendants get after the program's own end.
    int64_t linger;
};

enum slipway_child_outcome {
    SLIPWAY_CHILD_EXITED,
    SLIPWAY_CHILD_SIGNALLED,
    SLIPWAY_CHILD_NO_DIRECTORY,
    SLIPWAY_CHILD_NO_EXEC,
    SLIPWAY_CHILD_NO_GROUP,
    SLIPWAY_CHILD_NO_SUPERVISION,
};

enum slipway_child_cause { SLIPWAY_CHILD_ITSELF, SLIPWAY_CHILD_TERMINATED, SLIPWAY_CHILD_TIMED_OUT };

/// What the supervisor says at the end: an outcome, its exit code, signal or errno, and who brought the end about.
struct slipway_child_status {
    int32_t outcome, value, cause;
};

/// Both ends of a pipe, closed on exec; `ends[0]` is read.
static inline int slipway_pipe(int ends[2]) {
    return (int)syscall(SYS_pipe2, ends, O_CLOEXEC);
}

static inline int64_t slipway_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/// Signals every process whose parent is the supervisor; only it reaps them, so no id can have a new owner meanwhile.
static inline void slipway_signal_children(int signal) {
    char text[4096];
    int pid = 0;
    ssize_t count;
    int list = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (list < 0) return;
    while ((count = read(list, text, sizeof text)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
            } else if (pid > 0) {
                kill(pid, signal);
                pid = 0;
            }
        }
    }
    close(list);
}

static inline void slipway_child_report(int control, int outcome, int value, int cause) {
    struct slipway_child_status status = {outcome, value, cause};
    // Where this fails Slipway is gone, and nobody is left to tell.
    (void)!send(control, &status, sizeof status, MSG_NOSIGNAL);
}

/// Moves the calling process into control groups.
///
/// - Returns: 0, or -1 with errno.
static inline int slipway_enter_groups(char *const *groups) {
    for (; *groups != NULL; groups++) {
        int file = open(*groups, O_WRONLY | O_CLOEXEC);
        if (file < 0) return -1;
        // 0 is the writer (cgroups(7)).
        if (write(file, "0", 1) != 1) return -1;
        close(file);
    }
    return 0;
}

/// The program's own process, between fork and exec: leaves only by exec or _exit.
static inline void slipway_child_exec(const struct slipway_child *child, pid_t supervisor, int failures) {
    sigset_t none;
    int32_t failure[2] = {SLIPWAY_CHILD_NO_EXEC, 0};
    // A session of its own: no controlling terminal to ask for passwords on, and a group to signal.
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) _exit(127);
    if (child->directory != NULL && chdir(child->directory) != 0) {
        failure[0] = SLIPWAY_CHILD_NO_DIRECTORY;
    } else if (slipway_enter_groups(child->groups) != 0) {
        failure[0] = SLIPWAY_CHILD_NO_GROUP;
    } else {
        execve(child->path, child->arguments, child->environment);
    }
    failure[1] = errno;
    (void)!write(failures, failure, sizeof failure);
    _exit(127);
}

/// Watches over one program until it and all that it left behind are gone.
static inline void slipway_supervise(const struct slipway_child *child, int control, int signals, pid_t program) {
    enum { RUNNING, TERMINATING, LINGERING, KILLING } phase = RUNNING;
    int status = 0, alive = 1, cause = SLIPWAY_CHILD_ITSELF;
    int64_t deadline = child->timeout > 0 ? slipway_milliseconds() + child->timeout : INT64_MAX;

    for (;;) {
        int ended;
        pid_t pid;
        while ((pid = waitpid(-1, &ended, WNOHANG)) > 0) {
            if (pid != program) continue;
            status = ended;
            alive = 0;
            if (phase == KILLING) continue;
            phase = LINGERING;
            deadline = slipway_milliseconds() + child->linger;
            slipway_signal_children(SIGTERM);
        }
        if (pid < 0 && errno == ECHILD) break;

        int64_t wait = deadline - slipway_milliseconds();
        if (wait < 0) wait = 0;
        if (wait > INT_MAX) wait = deadline == INT64_MAX ? -1 : INT_MAX;
        if (phase == KILLING) {
            // Each round reaches those that the last one orphaned, so it is repeated until nobody is left.
            if (alive) kill(-program, SIGKILL);
            slipway_signal_children(SIGKILL);
            wait = 10;
        }
        struct pollfd watched[2] = {{control, POLLIN, 0}, {signals, POLLIN, 0}};
        if (poll(watched, 2, (int)wait) > 0) {
            struct signalfd_siginfo info;
            while (read(signals, &info, sizeof info) > 0) {}
            if (watched[0].revents != 0) {
                char order;
                ssize_t got = recv(control, &order, 1, MSG_DONTWAIT);
                if (got == 1 && phase == RUNNING) {
                    cause = SLIPWAY_CHILD_TERMINATED;
                    deadline = 0;
                } else if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
                    phase = KILLING;
                    control = -1;
                }
            }
        }
        if (slipway_milliseconds() < deadline) continue;
        if (phase == RUNNING) {
            if (cause == SLIPWAY_CHILD_ITSELF) cause = SLIPWAY_CHILD_TIMED_OUT;
            phase = TERMINATING;
            deadline = slipway_milliseconds() + child->grace;
            kill(-program, SIGTERM);
            // A stopped process takes SIGTERM only once it goes on.
            kill(-program, SIGCONT);
        } else {
            phase = KILLING;
            deadline = INT64_MAX;
        }
    }
    if (WIFSIGNALED(status)) {
        slipway_child_report(control, SLIPWAY_CHILD_SIGNALLED, WTERMSIG(status), cause);
    } else {
        slipway_child_report(control, SLIPWAY_CHILD_EXITED, WEXITSTATUS(status), cause);
    }
}

/// The supervisor's whole life: leaves only by _exit.
static inline void slipway_supervisor(const struct slipway_child *child) {
    enum { CONTROL = 3 };
    struct sigaction standard = {0};
    sigset_t all;
    int failures[2] = {-1, -1};
    // Above 9 first: any of them may stand where another has to go.
    int input = fcntl(child->input, F_DUPFD, 10), output = fcntl(child->output, F_DUPFD, 10);
    int errors = fcntl(child->errors, F_DUPFD, 10), control = fcntl(child->control, F_DUPFD, 10);
    if (input < 0 || output < 0 || errors < 0 || control < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0
        || dup2(errors, 2) < 0 || syscall(SYS_dup3, control, CONTROL, O_CLOEXEC) < 0) {
        slipway_child_report(child->control, SLIPWAY_CHILD_NO_SUPERVISION, errno, 0);
        _exit(1);
    }
    // The sockets of other supervisors are among these: held open here, they would never see Slipway's death.
    if (syscall(SYS_close_range, CONTROL + 1, ~0U, 0) != 0) {
        for (int fd = CONTROL + 1, last = (int)sysconf(_SC_OPEN_MAX); fd < last; fd++) close(fd);
    }
    // Out of Slipway's group, so that killing that group is seen here as Slipway's death.
    setsid();
    prctl(PR_SET_NAME, "slipway-child");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &standard, NULL);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);

    int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0 || slipway_pipe(failures) != 0) {
        slipway_child_report(CONTROL, SLIPWAY_CHILD_NO_SUPERVISION, errno, 0);
        _exit(1);
    }
    pid_t self = getpid();
    pid_t program = vfork();
    if (program == 0) slipway_child_exec(child, self, failures[1]);
    if (program < 0) {
        slipway_child_report(CONTROL, SLIPWAY_CHILD_NO_SUPERVISION, errno, 0);
        _exit(1);
    }
    close(0);
    close(1);
    close(2);
    close(failures[1]);
    int32_t failure[2];
    ssize_t got;
    do got = read(failures[0], failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    close(failures[0]);
    if (got == sizeof failure) {
        waitpid(program, NULL, 0);
        slipway_child_report(CONTROL, failure[0], failure[1], 0);
        _exit(0);
    }
    slipway_supervise(child, CONTROL, signals, program);
    _exit(0);
}

/// Starts a supervisor with its program.
///
/// - Returns: the supervisor's id, or -1 with errno; whether the program started is told over `control`.
static inline pid_t slipway_child_start(const struct slipway_child *child) {
    sigset_t all, before;
    // No handler of the service may run in the copy.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t supervisor = _Fork();
    if (supervisor == 0) slipway_supervisor(child);
    int failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failure;
    return supervisor;
}

/// Tells a supervisor to end its program: SIGTERM, the grace, SIGKILL.
static inline void slipway_child_terminate(int control) {
    (void)!send(control, "T", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// Waits for the supervisor's last word, which is said when nobody else is left.
///
/// - Returns: 0, or -1 where it ended without a word.
static inline int slipway_child_finish(int control, struct slipway_child_status *status) {
    ssize_t got;
    do got = recv(control, status, sizeof *status, MSG_WAITALL);
    while (got < 0 && errno == EINTR);
    return got == sizeof *status ? 0 : -1;
}

/// Waits for the supervisor's own end.
static inline void slipway_child_reap(pid_t supervisor) {
    pid_t reaped;
    do reaped = waitpid(supervisor, NULL, 0);
    while (reaped < 0 && errno == EINTR);
}

/// Kills a process, of which the caller need not be the parent, and waits for its end.
///
/// - Returns: 0, or -1 where it has not ended after so many milliseconds.
static inline int slipway_kill_and_wait(pid_t process, int64_t milliseconds) {
    int file = (int)syscall(SYS_pidfd_open, process, 0);
    if (file < 0) return errno == ESRCH ? 0 : -1;
    struct pollfd watched = {file, POLLIN, 0};
    // Where it ended meanwhile, poll says so.
    syscall(SYS_pidfd_send_signal, file, SIGKILL, NULL, 0);
    int count = poll(&watched, 1, (int)milliseconds);
    close(file);
    return count == 1 ? 0 : -1;
}

/// Both ends of a socket, closed on exec.
static inline int slipway_socket_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

/// A file in memory only, closed on exec.
static inline int slipway_memory_file(void) {
    return (int)syscall(SYS_memfd_create, "input", MFD_CLOEXEC);
}

/// memmem(3), which the system's headers show with _GNU_SOURCE only.
void *memmem(const void *bytes, size_t count, const void *wanted, size_t wanted_count);

static inline const void *slipway_find(const void *wanted, size_t wanted_count, const void *bytes, size_t count) {
    return memmem(bytes, count, wanted, wanted_count);
}

/// mallopt(3) is in no module that Swift imports.
static inline void slipway_set_heaps(int count, int kept) {
    mallopt(M_ARENA_MAX, count);
    mallopt(M_TRIM_THRESHOLD, kept);
}

/* Loaded into driftd with LD_PRELOAD: while the file $BROKEN_DISK_SWITCH exists, the disk under $BROKEN_DISK
   refuses what would take room or change a file, with the errno whose number is in the switch (28 ENOSPC,
   30 EROFS, 5 EIO); with HANGS (below) it does not answer while the switch is there. What is read goes on. As a real
   one, a full disk takes half of every other write, and lets files be cut, renamed and deleted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define HANGS 10000

static int broken(void) {
  const char *path = getenv("BROKEN_DISK_SWITCH");
  if (path == NULL || access(path, F_OK) != 0) return 0;
  static int (*real_open)(const char *, int, ...);
  if (real_open == NULL) real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
  char text[16] = "";
  const int fd = real_open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  return size > 0 ? atoi(text) : 0;
}

static int below(const char *path) {
  const char *disk = getenv("BROKEN_DISK");
  return disk != NULL && strncmp(path, disk, strlen(disk)) == 0;
}

/* 0, or the errno that writing to the descriptor gets. */
static int refuses(int fd) {
  const int saved = errno;
  int result = broken();
  if (result != 0) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    if (!below(path)) result = 0;
  }
  while (result == HANGS) {
    usleep(10000);
    result = broken();
  }
  errno = saved;
  return result;
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
#define REFUSE(fd) \
  const int refused = refuses(fd); \
  if (refused != 0) { errno = refused; return -1; }

/* How much of a write the disk takes; errno is set when nothing. */
static size_t takes(int fd, size_t size) {
  const int refused = refuses(fd);
  if (refused == 0) return size;
  static unsigned writes;
  if (refused == ENOSPC && __atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED) % 2 == 0) size /= 2;
  else size = 0;
  if (size == 0) errno = refused;
  return size;
}

ssize_t write(int fd, const void *data, size_t size) {
  REAL(ssize_t, "write", int, const void *, size_t);
  const size_t taken = takes(fd, size);
  return taken == 0 && size != 0 ? -1 : real(fd, data, taken);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
  REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
  const size_t taken = takes(fd, size);
  return taken == 0 && size != 0 ? -1 : real(fd, data, taken, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  const size_t taken = takes(fd, size);
  return taken == 0 && size != 0 ? -1 : real(fd, data, taken, at);
}
ssize_t writev(int fd, const struct iovec *parts, int n) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  REFUSE(fd)
  return real(fd, parts, n);
}
int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  REFUSE(fd)
  return real(fd);
}
int fsync(int fd) {
  REAL(int, "fsync", int);
  REFUSE(fd)
  return real(fd);
}

/* A full disk lets go of what it has; others refuse. */
static int refuses_less(int refused) { return refused == ENOSPC ? 0 : refused; }
static int refuses_name(const char *path) {
  const int saved = errno;
  int result = below(path) ? refuses_less(broken()) : 0;
  while (result == HANGS) {
    usleep(10000);
    result = refuses_less(broken());
  }
  errno = saved;
  return result;
}
#define CUT(name, offset) \
  int name(int fd, offset size) { \
    REAL(int, #name, int, offset); \
    const int refused = refuses_less(refuses(fd)); \
    if (refused != 0) { errno = refused; return -1; } \
    return real(fd, size); \
  }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)
int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  const int refused = refuses_name(to);
  if (refused != 0) { errno = refused; return -1; }
  return real(from, to);
}
int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  const int refused = refuses_name(path);
  if (refused != 0) { errno = refused; return -1; }
  return real(path);
}

static int refuses_new(const char *path, int flags) {
  if ((flags & (O_CREAT | O_TRUNC)) == 0) return 0;
  const int saved = errno;
  int result = broken();
  if (result != 0 && (!below(path) || ((flags & O_TRUNC) == 0 && access(path, F_OK) == 0))) result = 0;
  errno = saved;
  return result;
}
#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(int, #name, const char *, int, ...); \
    va_list rest; \
    va_start(rest, flags); \
    const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, int) : 0; \
    va_end(rest); \
    const int refused = refuses_new(path, flags); \
    if (refused != 0) { errno = refused; return -1; } \
    return real(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

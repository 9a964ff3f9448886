/* Loaded into driftd with LD_PRELOAD: the system's authorities are those in the folder $SYSTEM_AUTHORITIES instead of
   /etc/ssl/certs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *elsewhere(const char *path, char *out, size_t size) {
  static const char kFolder[] = "/etc/ssl/certs";
  const size_t length = sizeof kFolder - 1;
  if (path == NULL || strncmp(path, kFolder, length) != 0 || (path[length] != '/' && path[length] != '\0')) return path;
  snprintf(out, size, "%s%s", getenv("SYSTEM_AUTHORITIES"), path + length);
  return out;
}

FILE *fopen(const char *path, const char *mode) {
  static FILE *(*real)(const char *, const char *);
  char other[4096];
  if (real == NULL) real = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
  return real(elsewhere(path, other, sizeof other), mode);
}

FILE *fopen64(const char *path, const char *mode) {
  static FILE *(*real)(const char *, const char *);
  char other[4096];
  if (real == NULL) real = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen64");
  return real(elsewhere(path, other, sizeof other), mode);
}

int stat(const char *restrict path, struct stat *restrict out) {
  static int (*real)(const char *, struct stat *);
  char other[4096];
  if (real == NULL) real = (int (*)(const char *, struct stat *))dlsym(RTLD_NEXT, "stat");
  return real(elsewhere(path, other, sizeof other), out);
}

// DataLock: one driftd a data directory. Two would overwrite each other's journal and checkpoints.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"

namespace driftd::app {

class DataLock {
 public:
  // Locks FOLDER/lock, which is made when it is not there; kUnavailable when another process has it.
  // kIo when the folder cannot be written to (permissions, a full or read-only disk): the message says so. The file
  // holds the process's number. The lock ends with the object, and with the process, however that ends.
  static Result<std::unique_ptr<DataLock>> take(const std::string& folder);
  ~DataLock();
  DataLock(const DataLock&) = delete;
  DataLock& operator=(const DataLock&) = delete;

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace driftd::app

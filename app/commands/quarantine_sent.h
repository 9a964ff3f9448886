// SentRecords: which records of a quarantine were sent to one destination, so that replay sends none there twice.
//
// A text file beside the segments, sent-HASH.txt (of the destination): the destination, then a line of 16 hex digits for
// each record (QuarantinedRecord::identity). What note() returned Ok for survives a kill; what a kill came before it for may
// be sent again. Thread-safety: none; only one at a time has a quarantine open.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/result.h"

namespace driftd::app {

class SentRecords {
 public:
  // Error{kUnavailable}: another replay has it open. Error{kIo}: the folder cannot be read.
  static Result<SentRecords> open(const std::string& folder, const std::string& destination);
  SentRecords(SentRecords&& other) noexcept;
  SentRecords& operator=(SentRecords&&) = delete;
  ~SentRecords();

  bool has(std::uint64_t identity) const { return sent_.count(identity) != 0; }
  // Forgets all but these, which the quarantine still has. Before the first note(): it finds out whether one can be
  // written.
  Status keep_only(const std::unordered_set<std::uint64_t>& identities);
  Status note(const std::vector<std::uint64_t>& identities);

 private:
  SentRecords(int lock, std::string path, std::string destination)
      : lock_(lock), path_(std::move(path)), destination_(std::move(destination)) {}

  int lock_;
  std::string path_;
  std::string destination_;
  std::unordered_set<std::uint64_t> sent_;
};

}  // namespace driftd::app

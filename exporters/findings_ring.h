// FindingsRing: the newest findings in memory, for the API and the page. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/finding.h"

namespace driftd::exporters {

struct FindingsQuery {
  std::string stream;                // empty: all
  std::optional<Time> since;         // window end at or after
  std::optional<Verdict> verdict;
  std::size_t limit = 100;           // at most 1000
  std::optional<std::uint64_t> before;  // cursor: only older than this
};

struct FindingsPage {
  std::vector<std::string> lines;       // JSON, newest first
  std::optional<std::uint64_t> cursor;  // of the next page; none: the end
};

class FindingsRing {
 public:
  explicit FindingsRing(std::size_t capacity) : capacity_(capacity) {}

  void add(const Finding& finding, std::string line);
  FindingsPage query(const FindingsQuery& query) const;

 private:
  struct Entry {
    std::uint64_t number;
    std::string stream;
    Time window_end;
    Verdict verdict;
    std::string line;
  };
  std::size_t capacity_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  // oldest first
  std::uint64_t next_ = 1;
};

}  // namespace driftd::exporters

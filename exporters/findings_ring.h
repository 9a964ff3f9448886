// FindingsRing: the newest findings in memory, for GET /api/v1/findings and the page.
//
// Pages go from the newest finding backwards. A cursor names the finding at which the next page
// goes on, so pages neither repeat nor skip while new findings arrive; those that fell out of the
// ring are simply not there any more. A cursor belongs to one life of the process (`generation`).
// Thread-safe. Cost: append amortized O(1) a finding; query O(capacity) at worst, under the lock.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/result.h"

namespace driftd::exporters {

struct FindingsQuery {
  std::string stream;             // empty: all
  std::optional<Time> since;      // window end, or time of the record, not before this
  std::vector<Verdict> verdicts;  // empty: all
  std::size_t limit = 100;        // findings a page
  std::string cursor;             // FindingsPage::next of the page before; empty: the newest
};

struct FindingsPage {
  std::vector<Finding> findings;  // newest first
  std::string next;               // empty: there are no more
};

class FindingsRing {
 public:
  // `generation` must differ from one start of the process to the next (a start time does).
  FindingsRing(std::size_t capacity, std::uint64_t generation) : capacity_(capacity), generation_(generation) {}

  void append(const std::vector<Finding>& findings);

  // kInvalidArgument: the cursor is not from this process.
  Result<FindingsPage> query(const FindingsQuery& query) const;

  std::size_t size() const;

 private:
  std::string cursor_of(std::uint64_t number) const;
  std::optional<std::uint64_t> number_of(const std::string& cursor) const;

  const std::size_t capacity_;
  const std::uint64_t generation_;
  mutable std::mutex mutex_;
  std::deque<Finding> findings_;  // oldest first
  std::uint64_t first_ = 0;       // number of findings_.front(), counted from the start
};

}  // namespace driftd::exporters

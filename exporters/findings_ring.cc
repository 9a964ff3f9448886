#include "exporters/findings_ring.h"

#include <algorithm>

#include "core/hash.h"
#include "core/text.h"

namespace driftd::exporters {
namespace {

bool wanted(const FindingsQuery& query, const Finding& finding) {
  if (!query.stream.empty() && finding.stream != query.stream) return false;
  if (query.since && finding.record_time.value_or(finding.window_end) < *query.since) return false;
  return query.verdicts.empty() || std::find(query.verdicts.begin(), query.verdicts.end(), finding.verdict) != query.verdicts.end();
}

}  // namespace

void FindingsRing::append(const std::vector<Finding>& findings) {
  const std::scoped_lock lock(mutex_);
  for (const Finding& finding : findings) {
    findings_.push_back(finding);
    if (findings_.size() > capacity_) {
      findings_.pop_front();
      ++first_;
    }
  }
}

Result<FindingsPage> FindingsRing::query(const FindingsQuery& query) const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t end = first_ + findings_.size();  // one past the newest that may be on the page
  if (!query.cursor.empty()) {
    const auto number = number_of(query.cursor);
    if (!number || *number >= end) {
      return Error{ErrorCode::kInvalidArgument, "the cursor is not known (any more); start without one"};
    }
    end = *number + 1;
  }
  FindingsPage page;
  for (std::uint64_t n = end; n > first_; --n) {
    const Finding& finding = findings_[n - 1 - first_];
    if (!wanted(query, finding)) continue;
    if (page.findings.size() == query.limit) {
      page.next = cursor_of(n - 1);
      break;
    }
    page.findings.push_back(finding);
  }
  return page;
}

std::size_t FindingsRing::size() const {
  const std::scoped_lock lock(mutex_);
  return findings_.size();
}

std::string FindingsRing::cursor_of(std::uint64_t number) const {
  return hex64(hash64("cursor", generation_)) + "-" + std::to_string(number);
}

std::optional<std::uint64_t> FindingsRing::number_of(const std::string& cursor) const {
  const std::size_t dash = cursor.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto number = parse_integer(std::string_view(cursor).substr(dash + 1));
  if (!number || *number < 0) return std::nullopt;
  const auto n = static_cast<std::uint64_t>(*number);
  return cursor == cursor_of(n) ? std::optional(n) : std::nullopt;
}

}  // namespace driftd::exporters

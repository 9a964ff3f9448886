#include "exporters/findings_ring.h"

namespace driftd::exporters {

void FindingsRing::add(const Finding& finding, std::string line) {
  const std::scoped_lock lock(mutex_);
  if (entries_.size() >= capacity_) entries_.pop_front();
  entries_.push_back({next_++, finding.stream, finding.window_end, finding.verdict, std::move(line)});
}

FindingsPage FindingsRing::query(const FindingsQuery& query) const {
  const std::scoped_lock lock(mutex_);
  FindingsPage page;
  for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) {
    if (query.before && it->number >= *query.before) continue;
    if (!query.stream.empty() && it->stream != query.stream) continue;
    if (query.since && it->window_end < *query.since) continue;
    if (query.verdict && it->verdict != *query.verdict) continue;
    if (page.lines.size() == query.limit) {
      page.cursor = std::prev(it)->number;
      break;
    }
    page.lines.push_back(it->line);
    if (page.lines.size() == query.limit) page.cursor = it->number;
  }
  if (page.lines.size() < query.limit) page.cursor.reset();
  return page;
}

}  // namespace driftd::exporters

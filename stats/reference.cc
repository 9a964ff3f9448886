#include "stats/reference.h"

namespace driftd::stats {

const SegmentProfile* Reference::profile(const Segment& segment) const {
  const SegmentProfile* stream = nullptr;
  for (const SegmentProfile& p : segments) {
    if (p.segment == segment) return &p;
    if (p.segment.by == "stream") stream = &p;
  }
  return stream;
}

const FieldProfile* Reference::field(const Segment& segment, std::string_view field) const {
  const SegmentProfile* p = profile(segment);
  if (p == nullptr) return nullptr;
  for (const FieldProfile& f : p->fields) {
    if (f.name == field) return &f;
  }
  return nullptr;
}

}  // namespace driftd::stats

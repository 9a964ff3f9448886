// TimeJump: whether an event time can be believed that nothing but the records around it can confirm.
//
// One time in the far future would take the watermark with it, and everything behind it would be late. Where
// records carry no arrival (files, queries), a time more than kFar ahead of the newest one so far is refused
// until kWitnesses records in a row are there: then it was a gap in the data. So a gap of more than kFar
// costs kWitnesses - 1 records, which are rejected and kept in the quarantine; a shorter one costs nothing.
// The first record of a partition is believed. Deterministic; thread-safety: none.
#pragma once

#include "core/bytes.h"
#include "core/result.h"
#include "core/time.h"

namespace driftd::ingest {

class TimeJump {
 public:
  static constexpr Duration kFar = 31 * kDay;
  static constexpr std::uint32_t kWitnesses = 3;

  bool believe(Time t) {
    if (newest_ != kNoTime && t - newest_ > kFar) {
      const bool same = seen_ > 0 && t - claimed_ <= kFar && claimed_ - t <= kFar;
      seen_ = same ? seen_ + 1 : 1;
      claimed_ = t;
      if (seen_ < kWitnesses) return false;
    }
    seen_ = 0;
    newest_ = newest_ == kNoTime || t > newest_ ? t : newest_;
    return true;
  }

  void save(ByteWriter& out) const {
    out.i64(newest_);
    out.i64(claimed_);
    out.u32(seen_);
  }
  Status load(ByteReader& in) {
    newest_ = in.time();
    claimed_ = in.time();
    seen_ = in.u32();
    if (in.failed() || seen_ >= kWitnesses) return Error{ErrorCode::kCorrupt, "decoder: state of times damaged"};
    return {};
  }

 private:
  Time newest_ = kNoTime;
  Time claimed_ = kNoTime;  // by the newest of the records that were refused, in a row
  std::uint32_t seen_ = 0;
};

}  // namespace driftd::ingest

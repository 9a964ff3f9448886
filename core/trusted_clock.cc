#include "core/trusted_clock.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/log.h"

namespace driftd {

TrustedClock::TrustedClock(const Clock& wall, std::function<Duration()> elapsed) : wall_(wall), elapsed_(std::move(elapsed)) {
  believe(moment(), 0);
}

void TrustedClock::believe(const Moment& at, Duration held) const {
  line_ = {at.offset(), held, at.elapsed};
  doubt_until_.reset();
  absence_ = 0;
}

void TrustedClock::was(Time t) {
  const std::scoped_lock lock(mutex_);
  const Moment at = moment();
  if (at.wall >= t - kSet) return;
  log::warning(
      "the wall clock is behind what it was when driftd last wrote it down; until it is later than that, records that seem to "
      "come from the future are believed",
      {{"clock", format_time(at.wall)}, {"was", format_time(t)}});
  line_ = {t - at.elapsed, 0, at.elapsed};
  before_.reset();
  doubt_until_ = at.elapsed + kLongestDoubt;
  absence_ = kLongestAbsence;
}

// In this order: to a thread that is held up in between the clock seems to be set ahead, and then to where it was.
TrustedClock::Moment TrustedClock::moment() const {
  const Duration elapsed = elapsed_();
  return {wall_.now(), elapsed};
}

TrustedClock::Moment TrustedClock::look() const {
  const Moment at = moment();
  const Duration ahead = at.offset() - line_.offset;
  if (ahead >= -kSet) {
    if (doubt_until_) {
      log::info("the wall clock is no longer behind", {{"clock", format_time(at.wall)}});
    } else if (ahead > kSet) {
      log::warning("the wall clock was set ahead", {{"by", format_duration(ahead)}, {"clock", format_time(at.wall)}});
    }
    if (ahead > kSet) {
      const Duration age = line_.age(at.elapsed);
      if (!doubt_until_ && (!before_ || before_->held < age)) before_ = {line_.offset, age, at.elapsed};
      believe(at, 0);
    } else {
      believe(at, line_.age(at.elapsed));  // what corrects a clock little by little is followed
    }
    return at;
  }
  if (!doubt_until_ && before_ && std::abs(at.offset() - before_->offset) <= kSet) {
    log::info("the wall clock is back where it was before it was set ahead", {{"clock", format_time(at.wall)}});
    believe(at, before_->held);
    before_.reset();
    return at;
  }
  if (!doubt_until_) {
    doubt_until_ = at.elapsed + std::clamp(line_.age(at.elapsed), kShortestDoubt, kLongestDoubt);
    log::warning(
        "the wall clock was set back; until it is right again, or has run on like this for long, records that seem to come from "
        "the future by no more than that are believed",
        {{"by", format_duration(-ahead)}, {"clock", format_time(at.wall)}, {"at_most_for", format_duration(*doubt_until_ - at.elapsed)}});
  }
  if (at.elapsed < *doubt_until_) return at;
  log::warning("the wall clock was set back long ago and is believed from now on",
               {{"by", format_duration(-ahead)}, {"clock", format_time(at.wall)}});
  before_.reset();
  believe(at, 0);
  return at;
}

Clock::Reading TrustedClock::read() const {
  const std::scoped_lock lock(mutex_);
  const Moment at = look();
  if (!doubt_until_) return {at.wall, {}};
  const Duration least = line_.offset - at.offset();
  return {at.wall, {least, least + absence_}};
}

Time TrustedClock::latest() const {
  const std::scoped_lock lock(mutex_);
  const Moment at = look();
  return doubt_until_ ? at.elapsed + line_.offset : at.wall;
}

}  // namespace driftd

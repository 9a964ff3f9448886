// What a loaded alert book must stand: alerts start, go on and end, the same in its copy.
#pragma once

#include "alerts/alert_book.h"
#include "tests/fuzz/fuzz.h"

namespace driftd::fuzz {

inline void go_on(alerts::AlertBook& book, const std::string& stream) {
  Finding finding;
  finding.stream = stream;
  finding.check = "in_range";
  finding.field = "temperature";
  finding.verdict = Verdict::kFail;
  finding.window_end = kHour;
  book.take(finding);
  std::vector<alerts::AlertEvent> events;
  book.close(stream, kHour, {}, events);
  book.forget(stream, events);
  for (const alerts::AlertEvent& event : events) {
    std::string json;
    append_json(json, event.alert);
    FUZZ_CHECK(json.starts_with("{"), json);
  }
}

}  // namespace driftd::fuzz

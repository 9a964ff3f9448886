// Window: what is known of one segment in one half-open interval of event time, as checks see it.
//
// A Window is a view for the moment of judging: it does not own the arrays it points to. What makes
// and merges it is stats/panes.h. Everything in it is exactly mergeable: counts, integer counters,
// moments merged in a fixed order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/schema.h"
#include "core/time.h"
#include "stats/bins.h"
#include "stats/log_histogram.h"
#include "stats/moments.h"

namespace driftd::stats {

struct FieldSummary {
  FieldKind kind = FieldKind::kNumber;
  // Rows by the state of their cell (core/batch.h); their sum is Window::rows.
  std::uint64_t valid = 0, missing = 0, null = 0, wrong_type = 0, not_finite = 0;
  Moments moments;                          // numeric kinds; of the valid cells
  const Bins* bins = nullptr;               // the reference's; null without one
  std::span<const double> bin_counts;       // whole numbers; empty unless a check needs bins
  std::span<const double> bin_sums;         // empty unless a check needs sums
  const LogHistogram* quantiles = nullptr;  // null unless a check needs quantiles

  std::uint64_t rows() const { return valid + missing + null + wrong_type + not_finite; }
};

// The first record (in partition order) that a row-level check failed.
struct Example {
  bool set = false;
  Time time = kNoTime;
  std::uint32_t partition = 0;
  std::int64_t position = 0;
  double value = 0;
  std::string sensor;
};

// What a row-level check counted in the window.
struct Tally {
  std::uint64_t failed = 0;
  std::uint64_t skipped = 0;  // rows that it could not judge: null, not finite, first of a sensor
  double worst = 0;           // largest |value| of a failed row, by the check's own measure
  Example first;
};

struct Window {
  Time start = 0;
  Time end = 0;
  Segment segment;
  std::uint64_t rows = 0;
  std::uint64_t late = 0;            // records that came too late for it (known for the stream only)
  std::vector<FieldSummary> fields;  // in the order of the schema
  std::vector<Tally> tallies;        // one a check of the stream, in its order
  bool partial = false;              // records of it were read by somebody of whose state nothing is known
  const char* closed_by = "";        // "" (a watermark), "idle", "end" (of the input)
};

}  // namespace driftd::stats

// Reference: an immutable, versioned profile of how a stream looks when it is well.
//
// It holds no rows: per segment and field counts, moments, frozen bins with exact masses, and the
// history of every statistic over the reference's own windows (later evidence is ranked against it).
// Named by the SHA-256 of its content; a change of anything in the content is another reference.
// Thread-safety: immutable once built, so shared freely.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"
#include "core/result.h"
#include "core/schema.h"
#include "stats/bins.h"
#include "stats/moments.h"

namespace driftd::stats {

struct FieldProfile {
  std::string name;
  FieldKind kind = FieldKind::kNumber;
  std::uint64_t valid = 0, missing = 0, null = 0, wrong_type = 0, not_finite = 0;
  Moments moments;                 // numeric kinds; n is 0 when they overflowed
  Bins bins;                       // size 1 (no edges) when there was no valid value
  std::vector<double> bin_counts;  // exact, one a bin
  std::vector<double> bin_sums;    // numeric kinds: sum of the values in each bin; empty when one overflowed
};

struct SegmentProfile {
  Segment segment;
  std::uint64_t rows = 0;
  std::vector<FieldProfile> fields;  // the same fields, bins and order in every segment
};

// One number a window of the reference: "mean", "stddev", "null_share", "psi", ...
struct History {
  Segment segment;
  std::string field;
  std::string statistic;
  std::vector<Time> starts;    // of the windows, growing
  std::vector<double> values;  // finite; windows without the statistic are left out
};

// Where it came from. Not part of the content hash but for `sources`.
struct Provenance {
  Time created_at = 0;     // wall clock
  std::string created_by;  // user@host
  std::string driftd_version;
  std::vector<std::string> sources;          // "file:a.csv sha256:...", "query:SELECT ... database:plant"
  std::uint64_t rows = 0;                    // records read
  std::uint64_t rejected = 0;                // of them not usable
  Time first = kNoTime, last = kNoTime;      // event times
  std::map<std::string, std::string> notes;  // git commit, DVC md5, model version, ...
};

struct Reference {
  std::string name;           // "pumps"
  std::uint32_t version = 0;  // 1, 2, ... within the name; given by the store
  std::string hash;           // of content()
  std::vector<std::string> tags;
  Provenance provenance;
  Duration window = 0;                   // size of the windows in the history
  std::vector<SegmentProfile> segments;  // the stream first, then by (by, value)
  std::vector<History> history;

  ReferenceId id() const { return {name, version, hash}; }
  // The segment's own profile; the stream's when it has none; nullptr when empty.
  const SegmentProfile* profile(const Segment& segment) const;
  const FieldProfile* field(const Segment& segment, std::string_view field) const;

  // The bytes that the hash names; deterministic. `load_content` caps every length it reads.
  std::string content() const;
  Status load_content(std::string_view bytes);
};

}  // namespace driftd::stats

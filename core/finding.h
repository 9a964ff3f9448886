// Finding: one verdict of one check on one window or one record. What driftd says, in one type.
//
// A finding depends on the records, the configuration and the reference only; its id is a hash of
// what it is about, so the same finding has the same id after a crash, in a replay, on any number of
// workers. Its JSON form (DESIGN 6) is a contract: shortest round-trip numbers, RFC 3339 times,
// absent means "does not apply", never null or NaN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "core/time.h"

namespace driftd {

enum class Verdict : std::uint8_t { kOk = 0, kWarn = 1, kFail = 2, kNoVerdict = 3 };
enum class FindingKind : std::uint8_t { kQuality, kFault, kDrift, kConceptDrift, kPerformance };
enum class Severity : std::uint8_t { kInfo, kWarning, kCritical };

const char* to_string(Verdict v);      // ok warn fail no_verdict
const char* to_string(FindingKind k);  // quality fault drift concept_drift performance
const char* to_string(Severity s);     // info warning critical
std::optional<Severity> severity(std::string_view name);
std::optional<FindingKind> finding_kind(std::string_view name);
std::optional<Verdict> verdict(std::string_view name);

// What a window is about: the whole stream, one value of a segment field, or one sensor.
struct Segment {
  std::string by = "stream";  // "stream", a field's name, or "sensor"
  std::string value;          // empty for the stream
  bool operator==(const Segment&) const = default;
  auto operator<=>(const Segment&) const = default;
};

struct ReferenceId {
  std::string name;
  std::uint32_t version = 0;
  std::string hash;  // sha256, hex
};

// A piece of evidence beside the verdict; ends up in "detail". Exactly one of text and number.
struct Detail {
  std::string key;
  std::string text;
  std::optional<double> number;
};

struct Finding {
  std::string id;  // 16 hex digits, see finding_id
  std::string stream;
  Segment segment;
  std::string field;  // empty when the check is about no field
  std::string check;
  FindingKind kind = FindingKind::kQuality;
  Verdict verdict = Verdict::kOk;
  std::string reason;  // snake_case word, listed by `driftd describe`; empty for kOk
  Severity severity = Severity::kWarning;
  Time window_start = kNoTime;  // of the window judged, or of the base window a record falls into
  Time window_end = kNoTime;
  std::optional<Time> record_time;  // set: a verdict on one record
  std::string record_source;        // "partition:position" of that record
  std::optional<double> value;
  std::optional<double> threshold;
  std::optional<std::uint64_t> n;
  std::optional<std::uint64_t> n_reference;
  std::optional<ReferenceId> reference;
  std::optional<double> effect;
  std::optional<double> log_evidence;
  std::optional<double> log_threshold;
  std::optional<Time> change_time;
  std::string guarantee;  // exact conditional approximate none; empty: makes no such claim
  std::vector<Detail> detail;
};

// Hash of stream, segment, field, check, window (or record source), reference and the hash of the
// stream's configuration.
std::string finding_id(const Finding& finding, std::string_view config_hash);

// One JSON object without a line end, keys in the order of the contract.
void append_json(std::string& out, const Finding& finding);

// Stored form, for what waits in a checkpoint.
void save(ByteWriter& out, const Finding& finding);
Status load(ByteReader& in, Finding& finding);

// The order of the findings log: window end, stream, segment, field, check, then record position.
bool before(const Finding& a, const Finding& b);

class FindingSink {
 public:
  virtual ~FindingSink() = default;
  virtual void take(Finding finding) = 0;
};

}  // namespace driftd

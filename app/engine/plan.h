// StreamPlan: what a stream's configuration and reference come to, compiled once and shared,
// read-only, by the engines of all its partitions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/params.h"
#include "core/schema.h"
#include "ingest/decoder.h"
#include "ingest/quarantine_topic.h"
#include "rules/check.h"
#include "stats/panes.h"
#include "stats/reference.h"

namespace driftd::app {

// One entry of windows.by.
struct Level {
  enum class Kind : std::uint8_t { kStream, kField, kSensor };
  Kind kind = Kind::kStream;
  std::string by;  // "stream", the field's name, "sensor"
  int field = -1;  // kField: index in the schema
};

struct WindowConfig {
  Duration size = 5 * kMinute;
  Duration slide = 5 * kMinute;  // = size: tumbling; else size is a whole number of slides
  Duration lateness = 30 * kSecond;
  Duration idle = kMinute;  // wall clock
  std::vector<Level> levels;
  std::uint32_t panes() const { return static_cast<std::uint32_t>(size / slide); }
};

// One check on one field (or none).
struct CheckConfig {
  const rules::CheckRegistry::Unit* unit = nullptr;
  Params params;
  int field = -1;
  std::string name;  // in findings and metrics; the unit's unless configured
  Severity severity = Severity::kWarning;
  std::vector<std::string> by;  // levels it judges; empty: all
};

// Forwarding of records with their verdicts (app/run/gate_runner.h).
struct GateConfig {
  std::string valid;                       // topic; empty: valid records are not forwarded
  std::string invalid;                     // topic
  Severity severity = Severity::kWarning;  // of checks that make a record invalid, at least
  std::vector<std::string> checks;         // names of those that may; empty: all
  std::string transactional_id;            // empty: one of the stream's own
  Duration commit_every = 100 * kMillisecond;
  std::uint64_t buffer = 64ULL << 20;  // bytes of records that wait
};

struct StreamConfig {
  std::string name;
  std::string source;  // unit: kafka, mqtt, http, file, generator
  Params source_params;
  std::string decoder;
  Params decoder_params;
  ingest::DecodeOptions decode;
  Schema schema;
  WindowConfig windows;
  std::vector<CheckConfig> checks;
  std::string reference;  // "pumps@production"; empty: none
  std::optional<GateConfig> gate;
  std::uint32_t sensor_cap = 1U << 20;
  Duration sensor_idle = kHour;                                    // of event time; see sensor_policy()
  std::optional<ingest::QuarantineTopicOptions> quarantine_topic;  // where rejects go besides the disk
  bool quarantine_failed = false;                                  // and records that fail a check go where rejects go
  std::string hash;       // of everything that findings depend on: all but where records come from and go to
  std::string from_hash;  // of the source, the gate, the quarantine's topic and their parameters
};

struct StreamPlan {
  StreamConfig config;
  std::shared_ptr<const stats::Reference> reference;  // null: none (yet)
  stats::PaneLayout wide;                             // of the stream and the segment fields
  stats::PaneLayout narrow;                           // of sensors
  std::vector<std::vector<bool>> judged;              // by level, by check: does the check judge this level?
  std::vector<bool> detectors;                        // by check: is it one (Check::judges_records)?
  bool all_findings = false;                          // findings that are ok are emitted too

  const stats::PaneLayout& layout(const Level& level) const { return level.kind == Level::Kind::kSensor ? narrow : wide; }
};

// The checks of a plan, one instance each.
using CheckSet = std::vector<std::unique_ptr<rules::Check>>;

// When a partition of the stream gives up a sensor: never one that a window may still be about.
SensorDictionary::Policy sensor_policy(const StreamConfig& config);

// Compiles; an Error is a check that cannot be made with these parameters.
Result<std::shared_ptr<const StreamPlan>> make_plan(StreamConfig config, std::shared_ptr<const stats::Reference> reference,
                                                    bool all_findings);
// A plan without checks whose wide windows carry the bins and sums of every field of `frozen`, for building
// references; `frozen` outlives it.
Result<std::shared_ptr<const StreamPlan>> make_counting_plan(StreamConfig config, const stats::Reference& frozen);
// `all`: findings that are ok are emitted too, so they are explained.
Result<CheckSet> make_checks(const StreamConfig& config, const stats::Reference* reference, bool all = false);

}  // namespace driftd::app

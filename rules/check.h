// Check: one data unit test, drift or fault test on a stream, on one field or none.
//
// A check does one or both of two things:
//  - on_rows: looks at decoded rows, column by column, and reports the rows that fail and those it
//    cannot judge. The engine counts them into the windows of every segment that the row belongs to;
//    a check never sees windows here. It may keep state per sensor.
//  - judge: turns a closed window (summaries and its own Tally) into a Judgement.
// Each partition has its own instance for on_rows; judge() of windows merged over partitions is
// called on another instance, so judge() must depend on its arguments, parameters and the reference
// only. Never called concurrently; no locks, no statics.
//
// Determinism: on_rows gets rows in the order of the partition, in slices of any size; the outcome
// must not depend on where the slices begin and end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/bytes.h"
#include "core/finding.h"
#include "core/registry.h"
#include "core/result.h"
#include "stats/reference.h"
#include "stats/window.h"

namespace driftd::rules {

struct Rows {
  const Batch& batch;
  RowRange range;
  const Dictionaries& dictionaries;
};

// Filled by on_rows; reused. Rows must be reported in growing order, each at most once.
struct RowHits {
  struct Hit {
    std::uint32_t row;
    double value;  // what was wrong with it, by the check's own measure (the value, the jump, ...)
  };
  std::vector<Hit> failed;
  std::vector<std::uint32_t> skipped;

  void fail(std::uint32_t row, double value) { failed.push_back({row, value}); }
  void skip(std::uint32_t row) { skipped.push_back(row); }
  void clear() {
    failed.clear();
    skipped.clear();
  }
};

// A sensor that fails at the end of a window without a record of its own (silence).
struct SensorHit {
  std::uint32_t sensor;
  Time time;  // of its last record
  double value;
};

// The outcome of judge(). Strings only where something is wrong, so that a good window costs none.
struct Judgement {
  Verdict verdict = Verdict::kOk;
  const char* reason = "";  // one of the descriptor's words; "" for ok
  std::optional<double> value;
  std::optional<double> threshold;
  std::optional<std::uint64_t> n;
  std::optional<std::uint64_t> n_reference;
  std::optional<double> effect;
  bool uses_reference = false;  // the finding names the reference version
  std::vector<Detail> detail;

  static Judgement none(const char* why, std::optional<std::uint64_t> n = std::nullopt) {
    Judgement j;
    j.verdict = Verdict::kNoVerdict;
    j.reason = why;
    j.n = n;
    return j;
  }
};

// What the windows must carry for judge().
struct Needs {
  bool bins = false;
  bool sums = false;
  bool quantiles = false;
};

class Check {
 public:
  virtual ~Check() = default;

  virtual bool row_level() const { return false; }
  // True: on_rows() looks at the reference and keeps nothing that save() would have to keep, so that
  // another instance may take over from one row to the next when another reference holds.
  virtual bool rows_need_reference() const { return false; }
  virtual void on_rows(const Rows&, RowHits&) {}
  // The watermark passed `end`: sensors that fail without a record. Called once a base window, in
  // order, after all rows that came before the watermark did; only if row_level().
  virtual void on_close(Time /*start*/, Time /*end*/, std::vector<SensorHit>&) {}
  // True: a row that fails is a bad record, which a gate keeps away. False: it only shows what is
  // wrong with the sensor or the stream (silence before it, a drift).
  virtual bool blames_rows() const { return !judges_records(); }
  // True: every failed row is a finding of its own ("record"; detectors). Of its windows the good ones and
  // those without a verdict are findings, the others are told by their records; tally.worst is the
  // worst verdict of a failed row, as a number.
  virtual bool judges_records() const { return false; }
  // For judges_records(): verdict, reason and threshold of the failed row just reported.
  virtual Judgement judge_record(const RowHits::Hit&) const { return {}; }
  // For judges_records(): the worst state that a sensor is in, as a verdict; for metrics.
  virtual Verdict state() const { return Verdict::kOk; }

  // `tally` is this check's entry in window.tallies.
  virtual Judgement judge(const stats::Window& window, const stats::Tally& tally) const = 0;

  virtual Needs needs() const { return {}; }
  virtual FindingKind kind() const { return FindingKind::kQuality; }

  // The sensor's number was given up (evicted); its state must go.
  virtual void forget(std::uint32_t /*sensor*/) {}
  virtual void save(ByteWriter&) const {}
  virtual Status load(ByteReader&) { return {}; }
};

struct CheckContext {
  const Schema* schema = nullptr;               // outlives the check
  int field = -1;                               // index in the schema; -1: no field
  const stats::Reference* reference = nullptr;  // null: the stream has none (yet)
  Duration window = 0;                          // size of the stream's windows
  bool explain_ok = false;                      // judgements that are ok come with details too
};

// Parameters that every check takes beside its own, and that the engine handles: field, severity,
// name, by. In `driftd describe` and the JSON Schema they are shown with each check.
const std::vector<ParamSpec>& common_params();

// Does the unit take a field, none, or either?
enum class FieldUse { kRequired, kNone, kOptional };

struct CheckUnit {
  FieldUse field_use = FieldUse::kRequired;
  std::vector<FieldKind> kinds;  // of fields that it takes; empty: any
  std::function<Result<std::unique_ptr<Check>>(const Params& params, const CheckContext& context)> make;
};
using CheckRegistry = Registry<CheckUnit>;

// All checks of rules/checks.def, and one for each detector of stats/detectors.def.
const CheckRegistry& checks();

}  // namespace driftd::rules

#include "rules/detector_check.h"

#include <algorithm>
#include <cmath>

#include "stats/detector.h"

namespace driftd::rules {
namespace {

using Unit = stats::DetectorRegistry::Unit;

Verdict verdict_of(stats::DetectorState state) { return static_cast<Verdict>(state); }
static_assert(static_cast<int>(Verdict::kWarn) == static_cast<int>(stats::DetectorState::kWarning));
static_assert(static_cast<int>(Verdict::kFail) == static_cast<int>(stats::DetectorState::kDrift));

constexpr const char* kDrift = "drift_detected";
constexpr const char* kWarning = "drift_warning";
constexpr const char* kTooFew = "too_few_samples";

class DetectorCheck final : public Check {
 public:
  DetectorCheck(const Unit& unit, Params params, std::size_t field, bool binary, Duration window)
      : unit_(unit), params_(std::move(params)), field_(field), binary_(binary), window_(std::max<Duration>(window, 1)) {}

  bool row_level() const override { return true; }
  bool judges_records() const override { return true; }
  FindingKind kind() const override { return FindingKind::kConceptDrift; }

  void on_rows(const Rows& rows, RowHits& hits) override {
    reported_.clear();
    const Column& column = rows.batch.columns[field_];
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      const double x = column.numbers[r];
      if (column.cells[r] != Cell::kValid || std::fabs(x) > stats::kMostDetected || (binary_ && x != 0 && x != 1)) {
        hits.skip(r);
        continue;
      }
      PerSensor& sensor = at(rows.batch.sensor[r]);
      const Time t = rows.batch.event_time[r];
      const Duration dt = sensor.last == kNoTime ? 0 : t - sensor.last;
      sensor.last = t;
      ++sensor.n;
      const Verdict verdict = verdict_of(sensor.detector->update(x, dt));
      enter(sensor, verdict);
      // A detector may warn at every record for long: once a window is enough, by the record's own time, so
      // that it does not depend on when windows close.
      if (verdict == Verdict::kOk || (verdict == Verdict::kWarn && !first_warning(sensor, t))) continue;
      reported_.push_back({r, verdict, sensor.detector->threshold(), sensor.n});
      hits.fail(r, sensor.detector->statistic());
    }
  }

  void on_close(Time, Time, std::vector<SensorHit>&) override {
    before_ = worst_;
    worst_ = warned_ > 0 ? Verdict::kWarn : Verdict::kOk;
  }
  Verdict state() const override { return std::max(before_, worst_); }

  Judgement judge_record(const RowHits::Hit& hit) const override {
    const auto at =
        std::lower_bound(reported_.begin(), reported_.end(), hit.row, [](const Reported& r, std::uint32_t row) { return r.row < row; });
    Judgement j;
    j.verdict = Verdict::kFail;
    j.value = hit.value;
    if (at != reported_.end() && at->row == hit.row) {
      j.verdict = at->verdict;
      j.threshold = at->threshold;
      j.n = at->n;
    }
    j.reason = j.verdict == Verdict::kWarn ? kWarning : kDrift;
    return j;
  }

  Judgement judge(const stats::Window& window, const stats::Tally& tally) const override {
    const std::uint64_t judged = window.rows > tally.skipped ? window.rows - tally.skipped : 0;
    Judgement j;
    j.n = judged;
    if (tally.skipped != 0) j.detail.push_back({"skipped", "", static_cast<double>(tally.skipped)});
    if (judged == 0) {
      j.verdict = Verdict::kNoVerdict;
      j.reason = kTooFew;
      return j;
    }
    j.value = static_cast<double>(tally.failed);
    j.threshold = 0;
    if (tally.failed == 0) return j;
    j.verdict = tally.worst < static_cast<double>(Verdict::kFail) ? Verdict::kWarn : Verdict::kFail;
    j.reason = j.verdict == Verdict::kWarn ? kWarning : kDrift;
    return j;
  }

  void forget(std::uint32_t sensor) override {
    if (sensor >= sensors_.size()) return;
    enter(sensors_[sensor], Verdict::kOk);
    sensors_[sensor] = PerSensor();
  }
  void save(ByteWriter& out) const override {
    for (const Verdict v : {before_, worst_}) out.u8(static_cast<std::uint8_t>(v));
    out.u32(static_cast<std::uint32_t>(sensors_.size()));
    ByteWriter part;
    for (const PerSensor& s : sensors_) {
      part.clear();
      if (s.detector != nullptr) s.detector->save(part);
      out.i64(s.last);
      out.u64(s.n);
      out.i64(s.told);
      out.u8(static_cast<std::uint8_t>(s.verdict));
      out.str(part.bytes());
    }
  }
  Status load(ByteReader& in) override {
    sensors_.clear();
    warned_ = 0;
    before_ = load_verdict(in);
    worst_ = load_verdict(in);
    const std::uint32_t n = in.count(1U << 28, 29);
    for (std::uint32_t i = 0; i < n && !in.failed(); ++i) {
      PerSensor& s = sensors_.emplace_back();
      s.last = in.time();
      s.n = in.u64();
      s.told = in.time();
      s.verdict = load_verdict(in);
      warned_ += s.verdict == Verdict::kWarn ? 1 : 0;
      const std::string_view bytes = in.view(1U << 20);
      if (bytes.empty()) continue;
      ByteReader part(bytes);
      s.detector = make_detector();
      if (const Status loaded = s.detector->load(part); !loaded) return loaded;
    }
    return in.done("state of check " + unit_.descriptor.name);
  }

 private:
  struct PerSensor {
    std::unique_ptr<stats::Detector> detector;
    Time last = kNoTime;
    std::uint64_t n = 0;
    Time told = kNoTime;  // start of the newest window that a warning was reported for
    Verdict verdict = Verdict::kOk;
  };
  struct Reported {
    std::uint32_t row;
    Verdict verdict;
    double threshold;
    std::uint64_t n;
  };

  static Verdict load_verdict(ByteReader& in) {
    const std::uint8_t v = in.u8();
    if (v > static_cast<std::uint8_t>(Verdict::kFail)) in.fail();
    return in.failed() ? Verdict::kOk : static_cast<Verdict>(v);
  }

  void enter(PerSensor& sensor, Verdict verdict) {
    warned_ += verdict == Verdict::kWarn ? 1 : 0;
    warned_ -= sensor.verdict == Verdict::kWarn ? 1 : 0;
    sensor.verdict = verdict;
    worst_ = std::max(worst_, verdict);
  }
  bool first_warning(PerSensor& sensor, Time t) const {
    const Time start = floor_to(t, window_);
    if (sensor.told != kNoTime && start <= sensor.told) return false;
    sensor.told = start;
    return true;
  }

  std::unique_ptr<stats::Detector> make_detector() const {
    return std::move(unit_.make(params_).value());  // these parameters made one before
  }
  PerSensor& at(std::uint32_t sensor) {
    if (sensor >= sensors_.size()) sensors_.resize(sensor + 1);
    if (sensors_[sensor].detector == nullptr) sensors_[sensor].detector = make_detector();
    return sensors_[sensor];
  }

  const Unit& unit_;
  Params params_;
  std::size_t field_;
  bool binary_;
  Duration window_;
  std::vector<PerSensor> sensors_;
  std::uint64_t warned_ = 0;        // sensors whose newest verdict is a warning
  Verdict worst_ = Verdict::kOk;    // since the newest window was closed
  Verdict before_ = Verdict::kOk;   // in that window: a drift is over at the next record, and would not be seen
  std::vector<Reported> reported_;  // of the slice before judge_record
};

Result<std::unique_ptr<Check>> make(const Unit& unit, const Params& params, const CheckContext& context) {
  const auto probe = unit.make(params);
  if (!probe) return probe.error();
  const FieldKind kind = context.schema->fields[static_cast<std::size_t>(context.field)].kind;
  if ((*probe)->binary() && kind == FieldKind::kNumber) {
    return Error{ErrorCode::kInvalidArgument, "'field': " + unit.descriptor.name + " wants 0 or 1, a field of type flag or integer"};
  }
  return std::unique_ptr<Check>(
      std::make_unique<DetectorCheck>(unit, params, static_cast<std::size_t>(context.field), (*probe)->binary(), context.window));
}

}  // namespace

void register_detector_checks(CheckRegistry& registry) {
  for (const Unit& unit : stats::detectors().units()) {
    Descriptor descriptor = unit.descriptor;
    descriptor.summary += ".";
    descriptor.example = "- " + descriptor.example;
    descriptor.reasons = {{kDrift, "the detector reported a change at this record"},
                          {kWarning, "the detector is in its warning zone (verdict warn); told once a window and sensor"},
                          {kTooFew, "every value of the window was skipped"}};
    descriptor.notes +=
        " As a check: one detector a sensor, one update a record in the order of the partition; nulls, NaN, wrong types and numbers beyond "
        "1e130, whose squares could overflow, are skipped, and their number is in the window's `skipped`. Each detection is a finding on "
        "its record, so `by` can be nothing but sensor; a window of the segments in windows.by says ok or no_verdict.";
    registry.add(std::move(descriptor),
                 {FieldUse::kRequired,
                  {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag},
                  [&unit](const Params& params, const CheckContext& context) { return make(unit, params, context); }});
  }
}

}  // namespace driftd::rules

#include "rules/detector_check.h"

#include <cmath>

#include "stats/detector.h"

namespace driftd::rules {
namespace {

using Unit = stats::DetectorRegistry::Unit;

class DetectorCheck final : public Check {
 public:
  DetectorCheck(const Unit& unit, Params params, std::size_t field, bool binary)
      : unit_(unit), params_(std::move(params)), field_(field), binary_(binary) {}

  bool row_level() const override { return true; }
  bool judges_records() const override { return true; }
  FindingKind kind() const override { return FindingKind::kConceptDrift; }

  void on_rows(const Rows& rows, RowHits& hits) override {
    drifts_.clear();
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
      if (sensor.detector->update(x, dt) != stats::DetectorState::kDrift) continue;
      drifts_.push_back({r, sensor.detector->threshold(), sensor.n});
      hits.fail(r, sensor.detector->statistic());
    }
  }

  Judgement judge_record(const RowHits::Hit& hit) const override {
    Judgement j;
    j.verdict = Verdict::kFail;
    j.reason = "drift_detected";
    j.value = hit.value;
    for (const Drift& d : drifts_) {
      if (d.row != hit.row) continue;
      j.threshold = d.threshold;
      j.n = d.n;
    }
    return j;
  }
  Judgement judge(const stats::Window&, const stats::Tally&) const override { return {}; }

  void forget(std::uint32_t sensor) override {
    if (sensor < sensors_.size()) sensors_[sensor] = PerSensor();
  }
  void save(ByteWriter& out) const override {
    out.u32(static_cast<std::uint32_t>(sensors_.size()));
    ByteWriter part;
    for (const PerSensor& s : sensors_) {
      part.clear();
      if (s.detector != nullptr) s.detector->save(part);
      out.i64(s.last);
      out.u64(s.n);
      out.str(part.bytes());
    }
  }
  Status load(ByteReader& in) override {
    sensors_.clear();
    const std::uint32_t n = in.count(1U << 28, 20);
    for (std::uint32_t i = 0; i < n && !in.failed(); ++i) {
      PerSensor& s = sensors_.emplace_back();
      s.last = in.time();
      s.n = in.u64();
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
  };
  struct Drift {
    std::uint32_t row;
    double threshold;
    std::uint64_t n;
  };

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
  std::vector<PerSensor> sensors_;
  std::vector<Drift> drifts_;  // of the slice before judge_record
};

Result<std::unique_ptr<Check>> make(const Unit& unit, const Params& params, const CheckContext& context) {
  const auto probe = unit.make(params);
  if (!probe) return probe.error();
  const FieldKind kind = context.schema->fields[static_cast<std::size_t>(context.field)].kind;
  if ((*probe)->binary() && kind == FieldKind::kNumber) {
    return Error{ErrorCode::kInvalidArgument, unit.descriptor.name + " wants 0 or 1: a field of type flag or integer"};
  }
  return std::unique_ptr<Check>(std::make_unique<DetectorCheck>(unit, params, static_cast<std::size_t>(context.field), (*probe)->binary()));
}

}  // namespace

void register_detector_checks(CheckRegistry& registry) {
  for (const Unit& unit : stats::detectors().units()) {
    Descriptor descriptor = unit.descriptor;
    descriptor.summary += ".";
    descriptor.example = "- " + descriptor.example;
    descriptor.reasons = {{"drift_detected", "the detector reported a change at this record"}};
    descriptor.notes += " As a check: one detector a sensor, one update a record in the order of the partition; nulls, NaN, wrong types and numbers beyond 1e130, whose squares could overflow, are skipped. Each detection is a finding on its record.";
    registry.add(std::move(descriptor), {FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag},
                                         [&unit](const Params& params, const CheckContext& context) { return make(unit, params, context); }});
  }
}

}  // namespace driftd::rules

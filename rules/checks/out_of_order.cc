// out_of_order: records older than one that the sensor already sent.
#include "rules/row_check.h"
#include "rules/sensor_states.h"

namespace driftd::rules {
namespace {

struct Newest {
  static constexpr std::size_t kBytes = 8;
  Time time = kNoTime;
  void save(ByteWriter& out) const { out.i64(time); }
  void load(ByteReader& in) { time = in.i64(); }
};

class OutOfOrder final : public RowCheck {
 public:
  OutOfOrder(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "out_of_order"), tolerance_(params.duration("tolerance")) {}
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<OutOfOrder>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      Time& newest = states_.at(rows.batch.sensor[r]).time;
      const Time t = rows.batch.event_time[r];
      if (newest == kNoTime) {
        hits.skip(r);
      } else if (t < newest - tolerance_) {
        hits.fail(r, to_seconds(newest - t));
      }
      newest = std::max(newest, t);
    }
  }
  FindingKind kind() const override { return FindingKind::kFault; }
  void forget(std::uint32_t sensor) override { states_.forget(sensor); }
  void save(ByteWriter& out) const override { states_.save(out); }
  Status load(ByteReader& in) override { return states_.load(in, "out_of_order"); }

 private:
  Duration tolerance_;
  SensorStates<Newest> states_;
};

}  // namespace

void register_out_of_order(CheckRegistry& registry) {
  add_row_check<OutOfOrder>(
      registry,
      {.name = "out_of_order",
       .summary = "A sensor's records come in the order of their event times",
       .applies_to = "stream",
       .params = {{.name = "tolerance", .type = ParamType::kDuration, .sentence = "A record may be this much older than the sensor's newest one", .default_text = "0"}},
       .source = "timing test of the QARTOD manual (US IOOS)",
       .example = "{check: out_of_order, max_share: 0.01}",
       .reasons = {{"out_of_order", "more than max_share of the records are older than one before them"}},
       .notes = "Equal times are in order. A sensor's first record is not judged. Records too late for their window are looked at but counted in no window. State: 8 bytes a sensor."},
      FieldUse::kNone, {});
}

}  // namespace driftd::rules

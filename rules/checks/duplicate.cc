// duplicate: the same record again. 72 bytes a sensor; some 3 ns a row and numeric field.
#include <algorithm>
#include <array>

#include "rules/make_check.h"
#include "rules/sensor_state.h"
#include "rules/share_judgement.h"
#include "rules/value_hash.h"

namespace driftd::rules {
namespace {

// Hashes of the sensor's last records; 0 is a free place.
struct Recent {
  std::array<std::uint64_t, 8> hashes{};
  std::uint32_t next = 0;

  bool used() const { return hashes[0] != 0; }
  bool has(std::uint64_t hash) const {
    bool found = false;  // no early exit: eight comparisons in a row are vector code
    for (const std::uint64_t h : hashes) found |= h == hash;
    return found;
  }
  void add(std::uint64_t hash) {
    hashes[next] = hash;
    next = (next + 1) % static_cast<std::uint32_t>(hashes.size());
  }
  void save(ByteWriter& out) const {
    for (const std::uint64_t h : hashes) out.u64(h);
    out.u8(static_cast<std::uint8_t>(next));
  }
  void load(ByteReader& in) {
    for (std::uint64_t& h : hashes) h = in.u64();
    next = in.u8();
    const auto free = std::find(hashes.begin(), hashes.end(), 0U);
    const bool rest_free = std::all_of(free, hashes.end(), [](std::uint64_t h) { return h == 0; });
    const auto filled = static_cast<std::uint32_t>(free - hashes.begin());
    if (next >= hashes.size() || !rest_free || (filled < hashes.size() && next != filled)) in.fail();
  }
};

class Duplicate final : public ShareCheck {
 public:
  Duplicate(const Params& params, const CheckContext& context)
      : ShareCheck(params, "duplicates", Measure::kNone, FindingKind::kFault),
        field_(context.field),
        time_(params.boolean("compare_time")) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Batch& batch = rows.batch;
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      std::uint64_t hash = mix(0, time_ ? static_cast<std::uint64_t>(batch.event_time[r]) : 0);
      if (field_ >= 0) {
        hash = mix(hash, value_hash(batch, batch.columns[static_cast<std::size_t>(field_)], r));
      } else {
        for (const Column& column : batch.columns) hash = mix(hash, value_hash(batch, column, r));
      }
      hash = std::max<std::uint64_t>(hash, 1);
      Recent& recent = recent_[batch.sensor[r]];
      if (recent.has(hash)) {
        hits.fail(r, 0);
      } else {
        recent.add(hash);
      }
    }
  }

  void forget(std::uint32_t sensor) override { recent_.forget(sensor); }
  void save(ByteWriter& out) const override { recent_.save(out); }
  Status load(ByteReader& in) override { return recent_.load(in, "duplicate"); }

 private:
  int field_;
  bool time_;
  SensorState<Recent> recent_;
};

}  // namespace

void register_duplicate(CheckRegistry& registry) {
  registry.add({.name = "duplicate",
                .summary = "No record of a sensor comes twice: same event time and same values.",
                .applies_to = "stream, or any field",
                .params = with_share_params({{.name = "compare_time",
                                              .type = ParamType::kBoolean,
                                              .sentence = "The event time must be the same too; false finds a message that a "
                                                          "gateway stamped anew when it came again",
                                              .default_text = "true"}}),
                .source = "the time faults of driftd's sensor-fault tests; Great Expectations "
                          "expect_compound_columns_to_be_unique",
                .example = "- {check: duplicate}",
                .reasons = with_share_reasons({{"duplicates", "too many records that came before"}}),
                .notes = "Compares with the last 8 different records of the same sensor; without a field on "
                         "all fields, with one on that field only. Missing, null, wrong type and NaN are "
                         "values here: equal to themselves and to nothing else. No row is skipped. Compared "
                         "are 64-bit hashes. A replay that repeats a long stretch is not found after the "
                         "first 8 records in between; out_of_order finds it. 72 bytes a sensor."},
               {.field_use = FieldUse::kOptional, .kinds = {}, .make = make_check<Duplicate>});
}

}  // namespace driftd::rules

// unique: a value that came before, among the last `window` distinct ones. About 10 ns a row;
// at most 40 bytes a remembered value.
#include "rules/make_check.h"
#include "rules/recent_hashes.h"
#include "rules/sensor_state.h"
#include "rules/share_judgement.h"
#include "rules/value_hash.h"

namespace driftd::rules {
namespace {

// Which owner of a sensor's number it is; a new owner's values are not those of the one before.
struct Generation {
  std::uint32_t number = 0;
  bool used() const { return number != 0; }
  void save(ByteWriter& out) const { out.u32(number); }
  void load(ByteReader& in) { number = in.u32(); }
};

class Unique final : public ShareCheck {
 public:
  Unique(const Params& params, const CheckContext& context)
      : ShareCheck(params, "not_unique", Measure::kNone),
        field_(static_cast<std::size_t>(context.field)),
        by_sensor_(params.text("per") == "sensor"),
        seen_(static_cast<std::uint32_t>(params.integer("window"))) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    const bool category = column.kind == FieldKind::kCategory;
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (column.cells[r] != Cell::kValid || (category && column.codes[r] == Dictionary::kNone)) {
        hits.skip(r);
        continue;
      }
      std::uint64_t hash = value_hash(rows.batch, column, r);
      if (by_sensor_) {
        const std::uint32_t sensor = rows.batch.sensor[r];
        hash = mix(hash, std::uint64_t{owners_[sensor].number} << 32 | sensor);
      }
      if (!seen_.add(hash)) hits.fail(r, 0);
    }
  }

  void forget(std::uint32_t sensor) override {
    if (by_sensor_) ++owners_[sensor].number;
  }
  void save(ByteWriter& out) const override {
    seen_.save(out);
    owners_.save(out);
  }
  Status load(ByteReader& in) override {
    seen_.load(in);
    if (in.failed()) return Error{ErrorCode::kCorrupt, "unique: the remembered values are damaged"};
    return owners_.load(in, "unique");
  }

 private:
  std::size_t field_;
  bool by_sensor_;
  RecentHashes seen_;
  SensorState<Generation> owners_;
};

}  // namespace

void register_unique(CheckRegistry& registry) {
  registry.add({.name = "unique",
                .summary = "No value of the field comes twice among the most recent ones.",
                .applies_to = "any field",
                .params = with_share_params({{.name = "window",
                                              .type = ParamType::kInteger,
                                              .sentence = "How many distinct values are remembered, the oldest forgotten first",
                                              .default_text = "10000",
                                              .min = 1,
                                              .max = 10000000},
                                             {.name = "per",
                                              .type = ParamType::kChoice,
                                              .sentence = "Whether a value must be unique in the stream or among its sensor's",
                                              .default_text = "stream",
                                              .choices = {"stream", "sensor"}}}),
                .source = "the usual uniqueness test (Great Expectations expect_column_values_to_be_unique), "
                          "with a bounded memory",
                .example = "- {check: unique, field: message_id}",
                .reasons = with_share_reasons({{"not_unique", "too many values that came before"}}),
                .notes = "Numbers are compared as 64-bit floats: integers beyond 2^53 - 1 are of a wrong type in an "
                         "integer field and may be taken for each other in a number field; declare such ids as "
                         "text. "
                         "Cells without a value (missing, null, wrong type, NaN) are skipped, so two nulls "
                         "are no repetition. Values are remembered as 64-bit hashes, per partition: a value "
                         "that comes once in each of two partitions is not found. With per: sensor all "
                         "sensors of a partition share the one memory of `window` values. At most 40 bytes a "
                         "remembered value. For the same record delivered twice use duplicate, which also "
                         "compares sensor and time."},
               {.field_use = FieldUse::kRequired, .kinds = {}, .make = make_check<Unique>});
}

}  // namespace driftd::rules

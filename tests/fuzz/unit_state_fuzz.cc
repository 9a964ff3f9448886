// The state of every unit that has one: a byte picks the check, detector, summary or decoder, the rest is its state.
// What loads is saved the same, and the unit goes on with it.
#include <cmath>

#include "core/dictionary.h"
#include "stats/bins.h"
#include "stats/detector.h"
#include "stats/log_histogram.h"
#include "stats/panes.h"
#include "tests/fuzz/stream_for_fuzz.h"

namespace {

using namespace driftd;

struct Rig {
  app::StreamConfig config = fuzz::all_checks_stream();
  std::shared_ptr<const stats::Reference> reference = fuzz::reference_of(config.schema);
  Dictionaries dictionaries{config.schema.fields.size()};
  Batch batch;

  Rig() {
    fuzz::IgnoreRejects rejects;
    auto decoder = ingest::decoders().find("json")->make(config.decoder_params, config.decode, config.schema);
    FUZZ_CHECK(decoder.ok(), "no decoder");
    const auto records = fuzz::some_records(config.schema, 20);
    batch.reset(config.schema, 0);
    BatchBuilder builder(batch, config.schema, dictionaries);
    (*decoder)->decode(fuzz::raw_batch(records), builder, rejects);
    FUZZ_CHECK(batch.rows() == 20, "records that are no rows");
  }
};

void fuzz_check(const Rig& rig, std::size_t index, std::string_view state) {
  auto first = app::make_checks(rig.config, rig.reference.get());
  auto second = app::make_checks(rig.config, rig.reference.get());
  FUZZ_CHECK(first.ok() && second.ok(), "no checks");
  rules::Check &one = *(*first)[index], &two = *(*second)[index];
  const std::string name = rig.config.checks[index].name;
  if (!fuzz::load_is_stable(one, two, state, name.c_str())) return;
  if (!one.row_level()) return;
  for (rules::Check* check : {&one, &two}) {
    rules::RowHits hits;
    check->on_rows({rig.batch, {0, rig.batch.rows()}, rig.dictionaries}, hits);
    std::vector<rules::SensorHit> silent;
    check->on_close(1700000000 * kSecond, 1700000060 * kSecond, silent);
    for (std::uint32_t sensor = 0; sensor < 70; ++sensor) check->forget(sensor);
  }
  FUZZ_CHECK(fuzz::saved(one) == fuzz::saved(two), name + ": goes on in another way");
}

void fuzz_detector(const stats::DetectorRegistry::Unit& unit, std::string_view state) {
  ErrorList errors;
  const Params params = read_params({}, unit.descriptor.params, unit.descriptor.name, errors);
  auto one = unit.make(params), two = unit.make(params);
  FUZZ_CHECK(one.ok() && two.ok(), unit.descriptor.name);
  if (!fuzz::load_is_stable(**one, **two, state, unit.descriptor.name.c_str())) return;
  for (int i = 0; i < 40; ++i) {
    const double x = (*one)->binary() ? i % 2 : i % 7 - 3.5;
    FUZZ_CHECK((*one)->update(x, kSecond) == (*two)->update(x, kSecond), unit.descriptor.name);
  }
  FUZZ_CHECK(fuzz::saved(**one) == fuzz::saved(**two), unit.descriptor.name + ": goes on in another way");
}

std::size_t rows_of(ingest::Decoder& decoder, const Schema& schema) {
  const std::vector<std::string> records = {"ts,s,x", "1700000000,p1,20", R"({"ts":1700000007,"s":"p1"})", "", ",,,,,,,,,,,,,,,,"};
  fuzz::IgnoreRejects rejects;
  Dictionaries dictionaries(schema.fields.size());
  Batch batch;
  batch.reset(schema, 0);
  BatchBuilder builder(batch, schema, dictionaries);
  decoder.decode(fuzz::raw_batch(records, 1), builder, rejects);
  return batch.rows();
}

void fuzz_decoder(const Rig& rig, const ingest::DecoderRegistry::Unit& unit, std::string_view state) {
  ErrorList errors;
  const Params params = read_params({}, unit.descriptor.params, unit.descriptor.name, errors);
  auto one = unit.make(params, rig.config.decode, rig.config.schema), two = unit.make(params, rig.config.decode, rig.config.schema);
  FUZZ_CHECK(one.ok() && two.ok(), unit.descriptor.name);
  if (!fuzz::load_is_stable(**one, **two, state, unit.descriptor.name.c_str())) return;
  FUZZ_CHECK(rows_of(**one, rig.config.schema) == rows_of(**two, rig.config.schema), unit.descriptor.name + ": other rows");
  FUZZ_CHECK(fuzz::saved(**one) == fuzz::saved(**two), unit.descriptor.name + ": goes on in another way");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Rig rig;
  std::string_view input = fuzz::text_of(data, size);
  std::size_t pick = fuzz::take_byte(input);
  if (pick < rig.config.checks.size()) {
    fuzz_check(rig, pick, input);
    return 0;
  }
  // Counted from the end, so that a new check does not change what the corpus means.
  pick = 255 - pick;
  const auto& detectors = stats::detectors().units();
  if (pick == 0) {
    stats::LogHistogram one, two;
    if (fuzz::load_is_stable(one, two, input, "histogram") && one.n() > 0) {
      FUZZ_CHECK(std::isfinite(*one.quantile(0.5)), "a quantile that is no number");
    }
  } else if (pick == 1) {
    Dictionary one(16), two(16);
    fuzz::load_is_stable(one, two, input, "dictionary");
  } else if (pick - 2 < detectors.size()) {
    fuzz_detector(detectors[pick - 2], input);
  } else if (const auto& decoders = ingest::decoders().units(); pick - 2 - detectors.size() < decoders.size()) {
    fuzz_decoder(rig, decoders[pick - 2 - detectors.size()], input);
  }
  return 0;
}

// What every registered check must keep to, whatever it is about.
#include <random>
#include <set>

#include "app/config/yaml.h"
#include "core/text.h"
#include "stats/distance.h"
#include "tests/conformance/unit_descriptor.h"
#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

// Columns of every kind: the fields that the units' examples name, so that the examples can be
// made.
std::vector<Field> all_fields() {
  std::vector<Field> fields;
  for (const char* name :
       {"temperature", "vibration", "humidity", "pressure", "energy_total", "rain", "latency", "inlet", "makeup", "outlet"}) {
    fields.push_back(field(name));
  }
  fields.push_back(field("failed", FieldKind::kFlag));
  fields.push_back(field("error", FieldKind::kFlag));
  fields.push_back(field("prediction_wrong", FieldKind::kFlag));
  fields.push_back(field("count", FieldKind::kInteger));
  fields.push_back(field("status", FieldKind::kCategory));
  fields.push_back(field("firmware", FieldKind::kCategory));
  fields.push_back(field("message_id", FieldKind::kText));
  return fields;
}

// A value for the row, among them every state of a cell and values at the ends of their kind.
Value value_of(FieldKind kind, std::mt19937& random) {
  static constexpr Cell kStates[] = {Cell::kMissing, Cell::kNull, Cell::kWrongType, Cell::kNotFinite};
  static constexpr double kNumbers[] = {0.0, -0.0, 1, 20, 20, 21.5, 1.7e308, -1.7e308, 5e-324, 1e15};
  static constexpr const char* kTexts[] = {"", "ok", "idle", "v1.2", "broken", "\xff\xfe", "a"};
  const unsigned pick = static_cast<unsigned>(random());
  if (pick % 7 == 0) return kStates[pick / 7 % 4];
  if (kind == FieldKind::kFlag) return double(pick % 2);
  if (kind == FieldKind::kInteger) return double(pick % 5) * (pick % 11 == 0 ? 1e300 : 1);
  if (is_numeric(kind)) return kNumbers[pick / 7 % std::size(kNumbers)];
  return kTexts[pick / 7 % std::size(kTexts)];
}

// Times mostly grow, some are equal, some fall, some leap.
std::vector<TestRow> rows_of_all_sorts(int n, unsigned seed) {
  std::mt19937 random(seed);
  const std::vector<Field> fields = all_fields();
  static constexpr const char* kSensors[] = {"a", "b", "c"};
  std::vector<TestRow> rows;
  Time t = kHour;
  for (int i = 0; i < n; ++i) {
    TestRow row;
    for (const Field& f : fields) row.values.push_back(value_of(f.kind, random));
    const unsigned pick = static_cast<unsigned>(random());
    t += pick % 5 == 0 ? 0 : pick % 17 == 0 ? kHour : pick % 7 == 0 ? -kSecond : kSecond;
    row.time = t;
    row.sensor = kSensors[pick / 16 % 3];
    row.arrival = pick % 3 == 0 ? kNoTime : t + (pick % 13 == 0 ? -kMinute : kSecond);
    if (pick % 6 == 0 && !rows.empty()) row = rows[rows.size() / 2];  // duplicates
    rows.push_back(row);
  }
  return rows;
}

stats::Reference reference_of_all() {
  stats::SegmentProfile segment;
  segment.rows = 100;
  for (const Field& f : all_fields()) {
    stats::FieldProfile profile;
    profile.name = f.name;
    profile.kind = f.kind;
    profile.valid = 100;
    for (int i = 0; i < 100; ++i) profile.moments.add(i % 3);
    if (is_numeric(f.kind)) {
      profile.bins.edges = {0, 1, 20};
      profile.bin_counts = {30, 30, 30, 10};
      profile.bin_sums = {0, 30, 60, 300};
    } else {
      profile.bins.kind = stats::Bins::Kind::kCategory;
      profile.bins.categories = {"idle", "ok"};
      profile.bin_counts = {40, 60, 0};
    }
    segment.fields.push_back(std::move(profile));
  }
  stats::Reference reference;
  reference.segments.push_back(std::move(segment));
  return reference;
}

// One check as its example says, on each field that the example names.
struct Example {
  const CheckRegistry::Unit* unit;
  Params params;
  std::string field;  // empty: none
};

// `name`, or the first field that the unit takes when an example names one of its own.
std::string fitting(const CheckUnit& unit, const std::string& name) {
  const std::vector<Field> fields = all_fields();
  const auto named = [&](const Field& f) { return f.name == name; };
  if (name.empty() || std::any_of(fields.begin(), fields.end(), named)) return name;
  for (const Field& f : fields) {
    if (unit.kinds.empty() || std::count(unit.kinds.begin(), unit.kinds.end(), f.kind) != 0) return f.name;
  }
  return name;
}

std::vector<Example> examples_of(const CheckRegistry::Unit& unit) {
  ErrorList errors;
  const Node list = app::parse_yaml(unit.descriptor.example, errors);
  EXPECT_TRUE(errors.empty() && list.is_list()) << unit.descriptor.example;
  std::vector<std::string> own, common;
  for (const ParamSpec& spec : unit.descriptor.params) own.push_back(spec.name);
  for (const ParamSpec& spec : common_params()) common.push_back(spec.name);
  std::vector<Example> out;
  for (const Node& node : list.items) {
    const Params shared = read_params(node, common_params(), "example", errors, own);
    EXPECT_EQ(shared.text("check"), unit.descriptor.name);
    const Params params = read_params(node, unit.descriptor.params, "example", errors, common);
    std::vector<std::string> fields = shared.texts("field");
    EXPECT_TRUE(!fields.empty() || unit.make.field_use != FieldUse::kRequired);
    if (fields.empty()) fields.push_back("");
    for (const std::string& name : fields) out.push_back({&unit, params, fitting(unit.make, name)});
  }
  for (const ConfigError& error : errors.errors()) ADD_FAILURE() << error.message;
  EXPECT_FALSE(out.empty());
  return out;
}

class EveryCheck : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    unit_ = checks().find(GetParam());
    ASSERT_NE(unit_, nullptr);
    if (GetParam() == "distance" && stats::distances().units().empty()) {
      GTEST_SKIP() << "no distance is registered";
    }
    examples_ = examples_of(*unit_);
  }
  std::unique_ptr<Check> make(const CheckFixture& f, const Example& example) const {
    auto made = unit_->make.make(example.params, f.context(example.field));
    if (!made) ADD_FAILURE() << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
  static void expect_hits_in_order(CheckFixture& f, const RowHits& hits) {
    std::set<std::uint32_t> seen;
    const auto once = [&](std::uint32_t row) {
      EXPECT_LT(row, f.batch().rows());
      EXPECT_TRUE(seen.insert(row).second) << "row " << row << " is reported twice";
    };
    for (const auto& hit : hits.failed) {
      once(hit.row);
      EXPECT_TRUE(std::isfinite(hit.value));
    }
    for (const std::uint32_t row : hits.skipped) once(row);
    const std::vector<std::uint32_t> failed = rows_of(hits);
    EXPECT_TRUE(std::is_sorted(failed.begin(), failed.end()));
    EXPECT_TRUE(std::is_sorted(hits.skipped.begin(), hits.skipped.end()));
  }
  // Judges the fixture's rows; the outcome must be one that the descriptor lists.
  void expect_sane(CheckFixture& f, const Example& example, Check& check, const RowHits& hits) {
    stats::Window window = f.window(hits);
    std::vector<std::vector<double>> counts(window.fields.size());
    std::vector<stats::LogHistogram> quantiles(window.fields.size());
    for (std::size_t i = 0; i < window.fields.size(); ++i) add_bins(f, i, window, counts[i], quantiles[i]);
    const Judgement j = check.judge(window, window.tallies[0]);
    expect_listed(j);
    if (j.verdict != Verdict::kNoVerdict) {
      EXPECT_TRUE(j.value && j.threshold && j.n) << "value, threshold and n also when all is well: " << example.field;
    }
  }
  void expect_listed(const Judgement& j) const {
    std::set<std::string> words = {""};
    for (const Reason& r : unit_->descriptor.reasons) words.insert(r.word);
    EXPECT_EQ(words.count(j.reason), 1U) << j.reason;
    EXPECT_EQ(*j.reason == '\0', j.verdict == Verdict::kOk);
    for (const auto& number : {j.value, j.threshold, j.effect}) {
      EXPECT_TRUE(std::isfinite(number.value_or(0)));
    }
    for (const Detail& d : j.detail) {
      EXPECT_NE(d.number.has_value(), !d.text.empty()) << d.key;
      EXPECT_TRUE(std::isfinite(d.number.value_or(0))) << d.key;
    }
  }
  void add_bins(CheckFixture& f, std::size_t i, stats::Window& window, std::vector<double>& counts, stats::LogHistogram& quantiles) {
    const stats::FieldProfile& profile = reference_.segments[0].fields[i];
    const Column& column = f.batch().columns[i];
    counts.assign(profile.bins.size(), 0);
    for (std::uint32_t r = 0; r < f.batch().rows(); ++r) {
      if (column.cells[r] != Cell::kValid) continue;
      if (is_numeric(column.kind)) {
        ++counts[profile.bins.bin_of(column.numbers[r])];
        quantiles.add(column.numbers[r]);
      } else {
        ++counts.back();
      }
    }
    window.fields[i].bins = &profile.bins;
    window.fields[i].bin_counts = counts;
    window.fields[i].bin_sums = counts;
    window.fields[i].quantiles = &quantiles;
  }

  const CheckRegistry::Unit* unit_ = nullptr;
  std::vector<Example> examples_;
  stats::Reference reference_ = reference_of_all();
};

TEST_P(EveryCheck, IsDocumented) {
  const Descriptor& d = unit_->descriptor;
  EXPECT_TRUE(d.summary.ends_with(".")) << d.summary;
  for (const std::string* text : {&d.applies_to, &d.source, &d.example, &d.notes}) EXPECT_FALSE(text->empty());
  EXPECT_FALSE(d.reasons.empty());
  std::set<std::string> names;
  for (const ParamSpec& spec : common_params()) names.insert(spec.name);
  for (const ParamSpec& spec : d.params) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name << " is there twice";
    EXPECT_FALSE(spec.sentence.empty()) << spec.name;
    EXPECT_FALSE(spec.sentence.ends_with(".")) << spec.name;
  }
  expect_says_what_null_and_nan_do(d);
}

TEST_P(EveryCheck, JudgesAnythingWithAListedReason) {
  for (const Example& example : examples_) {
    for (const stats::Reference* reference :
         {static_cast<const stats::Reference*>(nullptr), static_cast<const stats::Reference*>(&reference_)}) {
      CheckFixture f(all_fields(), reference);
      const auto check = make(f, example);
      ASSERT_NE(check, nullptr);
      // An empty batch.
      expect_sane(f, example, *check, f.run(*check));
      for (const unsigned seed : {1U, 2U, 3U}) {
        f.clear();
        f.add(rows_of_all_sorts(300, seed));
        RowHits hits;
        if (check->row_level()) hits = f.run(*check);
        expect_hits_in_order(f, hits);
        expect_sane(f, example, *check, hits);
        if (check->judges_records() && !hits.failed.empty()) {
          expect_listed(check->judge_record(hits.failed.back()));
        }
      }
      f.clear();  // constants
      f.add(std::vector<TestRow>(50, rows_of_all_sorts(1, 9)[0]));
      if (check->row_level()) expect_sane(f, example, *check, f.run(*check));
    }
  }
}

TEST_P(EveryCheck, DoesNotDependOnSlicesOrRestarts) {
  for (const Example& example : examples_) {
    CheckFixture f(all_fields(), &reference_);
    f.add(rows_of_all_sorts(300, 4));
    const auto whole = make(f, example);
    if (!whole->row_level()) continue;
    const RowHits expected = f.run(*whole);
    std::mt19937 random(5);
    for (int round = 0; round < 10; ++round) {
      auto check = make(f, example);
      RowHits hits;
      for (std::uint32_t begin = 0; begin < f.batch().rows();) {
        const std::uint32_t end = std::min<std::uint32_t>(f.batch().rows(), begin + static_cast<std::uint32_t>(random() % 40));
        RowHits part;
        check->on_rows({f.batch(), {begin, end}, f.dictionaries()}, part);
        for (const auto& hit : part.failed) hits.fail(hit.row, hit.value);
        for (const std::uint32_t row : part.skipped) hits.skip(row);
        begin = end;
        if (round % 2 == 0) continue;
        ByteWriter out;
        check->save(out);
        ByteReader in(out.bytes());
        check = make(f, example);
        ASSERT_TRUE(check->load(in).ok());
        EXPECT_EQ(in.left(), 0U);
      }
      EXPECT_EQ(rows_of(hits), rows_of(expected));
      EXPECT_EQ(values_of(hits), values_of(expected));
      EXPECT_EQ(hits.skipped, expected.skipped);
    }
  }
}

TEST_P(EveryCheck, RefusesATruncatedState) {
  const Example& example = examples_.front();
  CheckFixture f(all_fields(), &reference_);
  f.add(rows_of_all_sorts(300, 6));
  const auto check = make(f, example);
  if (check->row_level()) f.run(*check);
  ByteWriter out;
  check->save(out);
  for (std::size_t size = 0; size < out.size(); ++size) {
    ByteReader in(std::string_view(out.bytes()).substr(0, size));
    EXPECT_FALSE(make(f, example)->load(in).ok()) << size << " of " << out.size();
  }
  // An absurd length must be refused too, and before it is allocated.
  if (out.size() == 0) return;
  std::string absurd = out.bytes();
  absurd.replace(0, std::min<std::size_t>(4, absurd.size()), std::min<std::size_t>(4, absurd.size()), '\xff');
  ByteReader in(absurd);
  EXPECT_FALSE(make(f, example)->load(in).ok());
}

TEST_P(EveryCheck, AForgottenSensorIsANewOne) {
  for (const Example& example : examples_) {
    CheckFixture f(all_fields(), &reference_);
    f.add(rows_of_all_sorts(300, 7));
    const auto used = make(f, example);
    if (!used->row_level() || GetParam() == "unique") continue;  // what the stream has seen stays
    f.run(*used);
    for (std::uint32_t sensor = 0; sensor < f.dictionaries().sensors.size() + 5; ++sensor) used->forget(sensor);
    const RowHits again = f.run(*used);
    const RowHits fresh = f.run(*make(f, example));
    EXPECT_EQ(rows_of(again), rows_of(fresh));
    EXPECT_EQ(again.skipped, fresh.skipped);
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryCheck, ::testing::ValuesIn(checks().names()), [](const auto& unit) { return unit.param; });

}  // namespace
}  // namespace driftd::rules

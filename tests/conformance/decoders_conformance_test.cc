// What every registered decoder must keep to, whatever it reads.
#include <cmath>
#include <random>
#include <set>

#include "app/config/config.h"
#include "tests/conformance/bad_parameters.h"
#include "tests/conformance/unit_descriptor.h"
#include "tests/ingest/decode_harness.h"

namespace driftd::ingest {
namespace {

using Texts = std::vector<std::string>;

Schema schema_of_all() {
  Schema schema;
  schema.fields = {field("number", FieldKind::kNumber), field("integer", FieldKind::kInteger),
                   field("flag", FieldKind::kFlag),     field("category", FieldKind::kCategory),
                   field("text", FieldKind::kText),     field("number2", FieldKind::kNumber, "number", true)};
  return schema;
}

// Good records of the formats that exist, and what senders get wrong. Every decoder gets all of them:
// what is a record to one is hostile to the others.
const Texts& records() {
  static const Texts all = [] {
    Texts out = {"id,ts,number,integer,flag,category,text",  // position 0: a header, to those that have one
                 R"({"id":"a","ts":1700000000000,"number":1.5,"integer":7,"flag":true,"category":"on","text":"t"})",
                 R"({"id":"b","ts":1700000001000,"number":null,"integer":1e400,"flag":"yes","category":9,"text":""})",
                 R"({"id":"a","ts":1700000002000,"number":"21.5","integer":1.5,"number":2})",
                 R"({"id":"a","ts":1700000003000,"number":-1.7976931348623157e308,"category":"\ud83d\ude00 \u0000"})",
                 R"({"id":"a","ts":1700000004000,"number":NaN})",
                 R"({"id":"a","ts":1e400})",
                 R"({"id":"","ts":0})",
                 R"({"id":{"id":"a"},"ts":[1700000000000]})",
                 R"({"id":"a","ts":-62135596800000})",
                 R"({"id":"a","ts":1700000005000,"number":Infinity,"flag":nul})",
                 R"({"id":"a","ts":99999999999999999999})",
                 "a,1700000006000,2.5,3,false,off,x",
                 "b,1700000007000,nan,inf,1,,\"a \"\"quoted\"\" text\"",
                 "a,1700000008000,-inf,1e300,maybe,\"two\nlines\",",
                 "a,1700000009000,1,2",
                 "a,1700000010000,1,2,3,4,5,6,7,8",
                 "\"a,1700000011000,1",
                 ",,,,,,",
                 "a,,1,1,1,1,1",
                 "id,ts,number,integer,flag,category,text",
                 "",
                 " ",
                 "\n",
                 std::string(1, '\0'),
                 "\xff\xfe\xfd",
                 "\xEF\xBB\xBF{}",
                 "[]",
                 "{}",
                 "null",
                 "\"",
                 "{",
                 "}",
                 "{\"id\":\"a\",\"ts\":1700000012000} trailing",
                 std::string(70, '['),
                 std::string(5000, ','),
                 "{\"x\":" + std::string(70, '[') + std::string(70, ']') + ",\"id\":\"a\",\"ts\":1700000013000}",
                 std::string(5000, 'x'),
                 "{\"id\":\"" + std::string(300, 'i') + "\",\"ts\":1700000014000}",
                 "{\"id\":\"a\",\"ts\":1700000015000,\"category\":\"" + std::string(2000, 'c') + "\"}"};
    for (int i = 0; i < 100; ++i) {
      const std::string time = std::to_string(1700001000000 + 1000 * i), n = std::to_string(i % 9);
      out.push_back("{\"id\":\"s" + n + "\",\"ts\":" + time + ",\"number\":" + n + ".5,\"category\":\"c" + n + "\"}");
      out.push_back("s" + n + "," + time + "," + n + ".5," + n + ",1,c" + n + ",text");
    }
    std::mt19937 random(20261125);
    const std::size_t known = out.size();
    for (int i = 0; i < 400; ++i) {  // the same, damaged
      std::string damaged = out[1 + random() % (known - 1)];
      for (unsigned n = random() % 3; n > 0 && !damaged.empty(); --n) {
        const std::size_t at = random() % damaged.size();
        if (random() % 4 == 0)
          damaged.resize(at);
        else
          damaged[at] = static_cast<char>(random() % 3 == 0 ? random() : "{}[]\",:\\\n0e-"[random() % 12]);
      }
      out.push_back(damaged);
      if (i % 3 == 0) out.push_back(out[1 + random() % (known - 1)]);
    }
    return out;
  }();
  return all;
}

// One row and one reject a line, in words that do not depend on how sensors and categories are numbered.
class Outcome {
 public:
  void take(DecodeHarness& h, const Texts& payloads) {
    const std::size_t rejected_before = h.rejects.size();
    const Batch& batch = h.decode(payloads);
    for (std::uint32_t r = 0; r < batch.rows(); ++r) {
      std::string line = "row " + std::to_string(batch.position[r]) + " " + h.sensor(r) + " " + std::to_string(batch.event_time[r]);
      for (std::size_t f = 0; f < batch.columns.size(); ++f) line += "|" + h.cell(f, r);
      rows.push_back(line);
      look_at(h, batch, r);
    }
    for (std::size_t i = rejected_before; i < h.rejects.size(); ++i) {
      rejects.push_back(std::to_string(h.rejects[i].first) + " " + h.rejects[i].second);
      EXPECT_EQ(listed().count(h.rejects[i].second), 1U) << h.rejects[i].second;
      EXPECT_TRUE(positions_.insert(h.rejects[i].first).second) << h.rejects[i].first;
    }
  }

  Texts rows, rejects;

 private:
  static const std::set<std::string>& listed() {
    static const std::set<std::string> words = [] {
      std::set<std::string> out;
      for (int i = 0; i < kRejectReasons; ++i) out.insert(to_string(static_cast<RejectReason>(i)));
      return out;
    }();
    return words;
  }
  void look_at(DecodeHarness& h, const Batch& batch, std::uint32_t r) {
    EXPECT_TRUE(positions_.insert(batch.position[r]).second) << "counted twice: " << batch.position[r];
    EXPECT_GT(batch.position[r], std::exchange(last_, batch.position[r]));
    EXPECT_FALSE(h.sensor(r).empty());
    EXPECT_GE(batch.event_time[r], 10 * 365 * kDay);
    EXPECT_LE(batch.event_time[r], (230 * 365 + 60) * kDay);
    for (const Column& column : batch.columns) {
      if (column.cells[r] != Cell::kValid || !is_numeric(column.kind)) continue;
      EXPECT_TRUE(std::isfinite(column.numbers[r]));
      if (column.kind == FieldKind::kInteger) {
        EXPECT_EQ(column.numbers[r], std::trunc(column.numbers[r]));
      }
    }
  }
  std::set<std::int64_t> positions_;
  std::int64_t last_ = -1;
};

DecodeOptions usual_options() {
  DecodeOptions o = options("id", "ts");
  o.max_record = 4096;
  return o;
}

class EveryDecoder : public ::testing::TestWithParam<std::string> {
 protected:
  const DecoderRegistry::Unit& unit() const { return *decoders().find(GetParam()); }
  DecodeHarness harness() const { return {GetParam(), usual_options(), schema_of_all()}; }

  static Texts part(std::size_t begin, std::size_t end) {
    const auto at = [](std::size_t i) { return records().begin() + static_cast<std::ptrdiff_t>(i); };
    return {at(begin), at(end)};
  }
};

TEST_P(EveryDecoder, IsDocumented) { expect_documented_in_full(unit().descriptor); }

TEST_P(EveryDecoder, ItsExampleMakesADecoder) {
  std::string example = unit().descriptor.example;
  if (example.find("\nfields:") == std::string::npos) example += "fields:\n  temperature: {type: number}\n";
  std::string yaml = "streams:\n  s:\n    from: {file: {paths: [a.csv]}}\n    ";
  for (const char c : example) yaml += c == '\n' ? std::string("\n    ") : std::string(1, c);
  ErrorList errors;
  const app::Config config = app::read_config(yaml, "", errors);
  ASSERT_TRUE(errors.empty()) << app::format_errors("example", errors) << yaml;
  const app::StreamConfig& stream = config.streams.at(0);
  EXPECT_EQ(stream.decoder, GetParam());
  const auto made = unit().make(stream.decoder_params, stream.decode, stream.schema);
  EXPECT_TRUE(made.ok()) << made.error().message;
}

TEST_P(EveryDecoder, BadParametersAreErrors) {
  const Schema schema = schema_of_all();
  expect_bad_parameters_are_errors(unit().descriptor, {},
                                   [&](const Params& params) { return unit().make(params, usual_options(), schema); });
}

TEST_P(EveryDecoder, BadPathsAreErrorsOrFindNothing) {
  ErrorList errors;
  const Params params = read_params({}, unit().descriptor.params, GetParam(), errors);
  const Texts paths = {"",
                       "/",
                       "//",
                       "/~",
                       "/~2",
                       "~",
                       "@",
                       "@key",
                       "@topic",
                       "@topic/0",
                       "@topic/99999999999",
                       "@nothing",
                       "\xff",
                       "/a" + std::string(200, '/'),
                       std::string(100000, 'p'),
                       std::string("\0", 1)};
  for (const std::string& path : paths) {
    SCOPED_TRACE(path.substr(0, 40));
    for (int where = 0; where < 3; ++where) {
      Schema schema = schema_of_all();
      DecodeOptions o = usual_options();
      (where == 0 ? o.sensor : where == 1 ? o.time : schema.fields[0].path) = path;
      auto made = unit().make(params, o, schema);
      if (!made) {
        EXPECT_GT(made.error().message.size(), 10U);
        continue;
      }
      DecodeHarness h(GetParam(), o, schema);
      Outcome outcome;
      outcome.take(h, records());
    }
  }
}

TEST_P(EveryDecoder, GivesRowsOrListedRejectsOfAnything) {
  DecodeHarness h = harness();
  Outcome outcome;
  outcome.take(h, records());
  EXPECT_LE(outcome.rows.size() + outcome.rejects.size(), records().size());
  EXPECT_FALSE(outcome.rejects.empty());
  // Longer than allowed, at the bound and behind it.
  for (const std::size_t size : {std::size_t{4096}, std::size_t{4097}}) {
    h.rejects.clear();
    h.decode({std::string(size, 'x')});
    ASSERT_EQ(h.rejects.size(), 1U);
    EXPECT_EQ(h.rejects[0].second == "too_large", size > 4096) << size << ": " << h.rejects[0].second;
  }
  h.rejects.clear();
  h.decode({""});
  ASSERT_EQ(h.rejects.size(), 1U);
  EXPECT_EQ(h.rejects[0].second, "empty_payload");
}

TEST_P(EveryDecoder, DoesNotDependOnBatches) {
  DecodeHarness whole = harness();
  Outcome expected;
  expected.take(whole, records());
  std::mt19937 random(7);
  for (int round = 0; round < 5; ++round) {
    DecodeHarness h = harness();
    Outcome outcome;
    for (std::size_t begin = 0; begin < records().size();) {
      const std::size_t end = std::min(records().size(), begin + random() % (round == 0 ? 2 : 50));
      outcome.take(h, part(begin, end));
      begin = end;
    }
    EXPECT_EQ(outcome.rows, expected.rows);
    EXPECT_EQ(outcome.rejects, expected.rejects);
    EXPECT_EQ(h.extra, whole.extra);
  }
}

TEST_P(EveryDecoder, GoesOnExactlyAfterARestart) {
  DecodeHarness whole = harness();
  Outcome expected;
  expected.take(whole, records());
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{2}, records().size() / 2}) {
    DecodeHarness before = harness();
    Outcome outcome;
    outcome.take(before, part(0, cut));
    ByteWriter out;
    before.decoder().save(out);
    DecodeHarness after = harness();
    ByteReader in(out.bytes());
    ASSERT_TRUE(after.decoder().load(in).ok());
    EXPECT_EQ(in.left(), 0U);
    ByteWriter again;
    after.decoder().save(again);
    EXPECT_EQ(again.bytes(), out.bytes());
    after.skip_positions(static_cast<std::int64_t>(cut));
    outcome.take(after, part(cut, records().size()));
    EXPECT_EQ(outcome.rows, expected.rows) << cut;
    EXPECT_EQ(outcome.rejects, expected.rejects) << cut;
  }
}

TEST_P(EveryDecoder, RefusesATruncatedState) {
  DecodeHarness h = harness();
  h.decode(part(0, 10));
  ByteWriter out;
  h.decoder().save(out);
  for (std::size_t size = 0; size < out.size(); ++size) {
    ByteReader in(std::string_view(out.bytes()).substr(0, size));
    EXPECT_FALSE(harness().decoder().load(in).ok()) << size << " of " << out.size();
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryDecoder, ::testing::ValuesIn(decoders().names()), [](const auto& unit) { return unit.param; });

// Else the properties above would hold of nothing.
TEST(EveryDecoderRecords, AreReadByTheDecodersThatExist) {
  for (const auto& [name, rows] : {std::pair{"json", 100U}, {"csv", 100U}}) {
    DecodeHarness h(name, usual_options(), schema_of_all());
    EXPECT_GT(h.decode(records()).rows(), rows) << name;
    EXPECT_GT(h.rejects.size(), 50U) << name;
  }
}

}  // namespace
}  // namespace driftd::ingest

#include "tests/ingest/decode_harness.h"

namespace driftd::ingest {
namespace {

constexpr const char* kWhen = "2026-01-02T03:04:05Z";

Schema schema() {
  return {{field("v", FieldKind::kNumber), field("n", FieldKind::kInteger), field("on", FieldKind::kFlag), field("s", FieldKind::kCategory),
           field("note", FieldKind::kText)}};
}

Node params(std::vector<std::pair<std::string, Node>> entries) { return Node::map(std::move(entries)); }
Node texts(std::vector<std::string> list) {
  std::vector<Node> items;
  for (std::string& text : list) items.push_back(Node::text(std::move(text)));
  return Node::list(std::move(items));
}

DecodeHarness harness(Node p = {}) { return DecodeHarness("csv", options("id", "t", TimeUnit::kRfc3339), schema(), p); }

constexpr const char* kHeader = "id,t,v,n,on,s,note";

std::string row(const std::string& rest) { return std::string("p1,") + kWhen + "," + rest; }

TEST(CsvDecoder, ReadsRowsByTheirHeader) {
  auto h = harness();
  h.decode({std::string(kHeader) + "\r\n", row("21.5,3,true,ok,\"a \"\"b\"\", c\nd\"\r\n")});
  ASSERT_EQ(h.batch().rows(), 1U);
  EXPECT_EQ(h.batch().position[0], 1);
  EXPECT_EQ(h.sensor(), "p1");
  EXPECT_EQ(format_time(h.batch().event_time[0]), kWhen);
  const char* expected[] = {"21.5", "3", "1", "ok", "a \"b\", c\nd"};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(h.cell(i), expected[i]) << i;
  EXPECT_TRUE(h.rejects.empty());
}

TEST(CsvDecoder, Cells) {
  struct {
    const char* rest;
    std::size_t field;
    const char* expected;
  } const cases[] = {
      {",,,,", 0, "null"},           {"\"\",,,,", 0, "null"},        {"nan,,,,", 0, "not_finite"},
      {"-Inf,,,,", 0, "not_finite"}, {"1e400,,,,", 0, "not_finite"}, {"x,,,,", 0, "wrong_type"},
      {" 1,,,,", 0, "wrong_type"},   {"+1.5,,,,", 0, "1.5"},         {"\"7\",,,,", 0, "7"},
      {",1.5,,,", 1, "wrong_type"},  {",,false,,", 2, "0"},          {",,1,,", 2, "1"},
      {",,yes,,", 2, "wrong_type"},  {",,,x\"y,", 3, "x\"y"},        {",,,,", 4, "null"},
  };
  for (const auto& c : cases) {
    auto h = harness();
    h.decode({kHeader, row(c.rest)});
    ASSERT_EQ(h.batch().rows(), 1U) << c.rest;
    EXPECT_EQ(h.cell(c.field), c.expected) << c.rest;
  }
}

TEST(CsvDecoder, RejectsWithAReason) {
  const DecodeCase cases[] = {
      {"", "empty_payload"},
      {row("1,2"), "column_count"},
      {row("1,2,,,,"), "column_count"},
      {row("1,2,,,\"open"), "undecodable"},
      {row("1,2,,,\"a\"b"), "undecodable"},
      {row("1,2,,,\xff"), "undecodable"},
      {std::string(",") + kWhen + ",,,,,", "missing_sensor"},
      {"p1,,,,,,", "missing_time"},
      {"p1,noon,,,,,", "bad_time"},
      {"p1,1970-01-01T00:00:00Z,,,,,", "absurd_time"},
  };
  for (const DecodeCase& c : cases) {
    auto h = harness();
    h.decode({kHeader, c.payload});
    EXPECT_EQ(h.batch().rows(), 0U) << c.payload;
    ASSERT_EQ(h.rejects.size(), 1U) << c.payload;
    EXPECT_EQ(h.rejects[0].second, c.expected) << c.payload;
  }
}

TEST(CsvDecoder, TakesRaggedRowsWhenTold) {
  auto h = harness(params({{"ragged", Node::text("true")}}));
  h.decode({kHeader, row("1"), row("1,2,,,,,")});
  ASSERT_EQ(h.batch().rows(), 1U);
  EXPECT_EQ(h.cell(0), "1");
  EXPECT_EQ(h.cell(1), "missing");
  ASSERT_EQ(h.rejects.size(), 1U);
  EXPECT_EQ(h.rejects[0].second, "column_count");
}

TEST(CsvDecoder, RepeatedHeadersAreNoRows) {
  auto h = harness();
  h.decode({kHeader, row("1,,,,"), kHeader, row("2,,,,")});
  EXPECT_EQ(h.batch().rows(), 2U);
  EXPECT_TRUE(h.rejects.empty());
}

TEST(CsvDecoder, RemembersTheHeader) {
  auto first = harness();
  first.decode({kHeader, row("1,,,,")});
  ByteWriter out;
  first.decoder().save(out);

  auto second = harness();
  ByteReader in(out.bytes());
  ASSERT_TRUE(second.decoder().load(in).ok());
  EXPECT_TRUE(in.done("state").ok());
  second.skip_positions(2);
  second.decode({row("4,,,,"), kHeader});
  EXPECT_EQ(second.batch().rows(), 1U);
  EXPECT_TRUE(second.rejects.empty());

  auto unknowing = harness();
  unknowing.skip_positions(2);
  unknowing.decode({row("4,,,,")});
  ASSERT_EQ(unknowing.rejects.size(), 1U);
  EXPECT_EQ(unknowing.rejects[0].second, "undecodable");

  for (std::size_t size = 0; size < out.size(); ++size) {
    auto h = harness();
    ByteReader torn(std::string_view(out.bytes()).substr(0, size));
    EXPECT_FALSE(h.decoder().load(torn).ok()) << size;
  }
}

TEST(CsvDecoder, WithoutAHeaderItNeedsColumns) {
  auto h =
      harness(params({{"header", Node::text("false")}, {"columns", texts({"id", "t", "v", "other"})}, {"separator", Node::text(";")}}));
  h.decode({std::string("p1;") + kWhen + ";5;x"});
  ASSERT_EQ(h.batch().rows(), 1U);
  EXPECT_EQ(h.cell(0), "5");
  EXPECT_EQ(h.cell(3), "missing");
}

TEST(CsvDecoder, ReadsSpaceSeparatedLogs) {
  auto h = DecodeHarness("csv", options("mote", "", TimeUnit::kRfc3339), {{field("temperature", FieldKind::kNumber)}},
                         params({{"separator", Node::text(" ")},
                                 {"collapse", Node::text("true")},
                                 {"header", Node::text("false")},
                                 {"ragged", Node::text("true")},
                                 {"columns", texts({"date", "time", "mote", "temperature"})},
                                 {"time_parts", texts({"date", "time"})}}));
  h.decode({"2004-02-28 00:59:16.02785  3   19.9884 \n", " 2004-02-28 00:59:17 3", "2004-02-28"});
  ASSERT_EQ(h.batch().rows(), 2U);
  EXPECT_EQ(h.sensor(), "3");
  EXPECT_EQ(format_time(h.batch().event_time[0]), "2004-02-28T00:59:16.02785Z");
  EXPECT_EQ(h.cell(0), "19.9884");
  EXPECT_EQ(h.cell(0, 1), "missing");
  ASSERT_EQ(h.rejects.size(), 1U);
  EXPECT_EQ(h.rejects[0].second, "missing_sensor");
}

TEST(CsvDecoder, NamesExtraColumnsOnce) {
  auto h = harness();
  h.decode({"id,t,v,colour", std::string("p1,") + kWhen + ",1,red", std::string("p1,") + kWhen + ",1,red"});
  EXPECT_EQ(h.batch().rows(), 2U);
  EXPECT_EQ(h.extra, (std::vector<std::string>{"colour"}));
}

TEST(CsvDecoder, RefusesWhatCannotWork) {
  const auto* unit = decoders().find("csv");
  const Node cases[] = {
      params({{"separator", Node::text(",,")}}),
      params({{"separator", Node::text("\"")}}),
      params({{"quote", Node::text("\n")}}),
      params({{"header", Node::text("false")}}),
      params({{"time_parts", texts({"date", "time"})}}),
      params({{"columns", texts({"t", "id", std::string(1025, 'n')})}}),
  };
  for (const Node& node : cases) {
    ErrorList errors;
    const Params p = read_params(node, unit->descriptor.params, "csv", errors);
    ASSERT_TRUE(errors.empty());
    const Schema s = schema();
    EXPECT_FALSE(unit->make(p, options("id", "t"), s).ok()) << node.entries[0].first;
  }
}

}  // namespace
}  // namespace driftd::ingest

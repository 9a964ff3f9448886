#include "exporters/findings_ring.h"

#include <gtest/gtest.h>

#include "tests/exporters/findings_for_test.h"

namespace driftd::exporters {
namespace {

std::vector<std::string> ids(const FindingsPage& page) {
  std::vector<std::string> out;
  for (const Finding& f : page.findings) out.push_back(f.id);
  return out;
}

void fill(FindingsRing& ring, int from, int to) {
  for (int i = from; i < to; ++i) {
    ring.append({finding(i, i % 2 == 0 ? "even" : "odd", i % 3 == 0 ? Verdict::kNoVerdict : Verdict::kFail)});
  }
}

TEST(FindingsRing, NewestFirstAndBounded) {
  FindingsRing ring(4, 1);
  EXPECT_TRUE(ring.query({}).value().findings.empty());
  fill(ring, 0, 6);
  EXPECT_EQ(ring.size(), 4U);
  const FindingsPage page = ring.query({}).value();
  EXPECT_EQ(ids(page), (std::vector<std::string>{hex64(5), hex64(4), hex64(3), hex64(2)}));
  EXPECT_EQ(page.next, "");
}

TEST(FindingsRing, Filters) {
  FindingsRing ring(100, 1);
  fill(ring, 0, 12);
  FindingsQuery query;
  query.stream = "odd";
  query.verdicts = {Verdict::kNoVerdict, Verdict::kWarn};
  EXPECT_EQ(ids(ring.query(query).value()), (std::vector<std::string>{hex64(9), hex64(3)}));
  query.since = 10 * kMinute;  // the end of window 9
  EXPECT_EQ(ids(ring.query(query).value()), (std::vector<std::string>{hex64(9)}));
  *query.since += 1;
  EXPECT_TRUE(ring.query(query).value().findings.empty());
  query = {};
  query.stream = "other";
  EXPECT_TRUE(ring.query(query).value().findings.empty());
}

TEST(FindingsRing, PagesNeitherRepeatNorSkipWhileFindingsArrive) {
  FindingsRing ring(50, 7);
  fill(ring, 0, 10);
  FindingsQuery query;
  query.limit = 3;
  std::vector<std::string> seen;
  int arrived = 10;
  while (true) {
    const FindingsPage page = ring.query(query).value();
    for (const std::string& id : ids(page)) seen.push_back(id);
    if (page.next.empty()) break;
    query.cursor = page.next;
    fill(ring, arrived, arrived + 1);
    ++arrived;
  }
  ASSERT_EQ(seen.size(), 10U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], hex64(static_cast<std::uint64_t>(9 - i)));
}

TEST(FindingsRing, LastPageHasNoCursor) {
  FindingsRing ring(50, 7);
  fill(ring, 0, 6);
  FindingsQuery query;
  query.limit = 6;
  EXPECT_EQ(ring.query(query).value().next, "");
  query.limit = 5;
  EXPECT_NE(ring.query(query).value().next, "");
}

TEST(FindingsRing, ACursorMayFallOutButNotBeForeign) {
  FindingsRing ring(3, 7), other(3, 8);
  fill(ring, 0, 3);
  fill(other, 0, 3);
  FindingsQuery query;
  query.limit = 1;
  query.cursor = ring.query(query).value().next;
  EXPECT_FALSE(other.query(query).ok());
  fill(ring, 3, 10);
  EXPECT_TRUE(ring.query(query).value().findings.empty());
  for (const char* cursor : {"x", "-", "1-1", "ffffffffffffffff-99999999999999999999", "-1"}) {
    query.cursor = cursor;
    EXPECT_EQ(ring.query(query).error().code, ErrorCode::kInvalidArgument) << cursor;
  }
}

}  // namespace
}  // namespace driftd::exporters

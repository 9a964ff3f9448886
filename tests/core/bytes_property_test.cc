// ByteReader on what ByteWriter wrote, and on anything else.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>

#include "core/bytes.h"

namespace driftd {
namespace {

// One value of a kind, written or compared.
struct Item {
  int kind = 0;
  std::uint64_t bits = 0;
  std::string text;
};

std::vector<Item> any_items() {
  return *rc::gen::container<std::vector<Item>>(
      rc::gen::build<Item>(rc::gen::set(&Item::kind, rc::gen::inRange(0, 7)), rc::gen::set(&Item::bits), rc::gen::set(&Item::text)));
}

void write(ByteWriter& out, const Item& item) {
  double number = 0;
  std::memcpy(&number, &item.bits, sizeof number);
  switch (item.kind) {
    case 0:
      return out.u8(static_cast<std::uint8_t>(item.bits));
    case 1:
      return out.u32(static_cast<std::uint32_t>(item.bits));
    case 2:
      return out.u64(item.bits);
    case 3:
      return out.i64(static_cast<std::int64_t>(item.bits));
    case 4:
      return out.f64(number);
    case 5:
      return out.boolean(item.bits % 2 != 0);
    default:
      return out.str(item.text);
  }
}

// Reads an item of the kind and writes it again.
void copy(ByteReader& in, int kind, ByteWriter& out) {
  switch (kind) {
    case 0:
      return out.u8(in.u8());
    case 1:
      return out.u32(in.u32());
    case 2:
      return out.u64(in.u64());
    case 3:
      return out.i64(in.i64());
    case 4:
      return out.f64(in.f64());
    case 5:
      return out.boolean(in.boolean());
    default:
      return out.str(in.str());
  }
}

RC_GTEST_PROP(Bytes, WhatWasWrittenIsReadBitForBit, ()) {
  const std::vector<Item> items = any_items();
  ByteWriter out, again;
  for (const Item& item : items) write(out, item);
  ByteReader in(out.bytes());
  for (const Item& item : items) copy(in, item.kind, again);
  RC_ASSERT(in.done("items").ok());
  RC_ASSERT(again.bytes() == out.bytes());
}

RC_GTEST_PROP(Bytes, EveryPrefixFailsAndThenReadsAsZero, ()) {
  const std::vector<Item> items = any_items();
  ByteWriter out;
  for (const Item& item : items) write(out, item);
  RC_PRE(out.size() > 0);
  const auto size = *rc::gen::inRange<std::size_t>(0, out.size());
  ByteReader in(std::string_view(out.bytes()).substr(0, size));
  ByteWriter ignored;
  for (const Item& item : items) copy(in, item.kind, ignored);
  RC_ASSERT(in.failed());
  RC_ASSERT(in.left() == 0U);
  RC_ASSERT(in.u64() == 0U && in.str().empty() && in.f64() == 0 && !in.boolean());
  RC_ASSERT(!in.done("items").ok());
}

RC_GTEST_PROP(Bytes, NothingIsReadFromBeyondTheEnd, (const std::string& bytes)) {
  // A copy of exactly this size, so that the sanitizer sees a byte too far.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  ByteReader in(std::string_view(exact.data(), exact.size()));
  std::size_t left = in.left();
  while (in.left() > 0) {
    const int kind = *rc::gen::inRange(0, 9);
    ByteWriter ignored;
    if (kind < 7) {
      copy(in, kind, ignored);
    } else if (kind == 7) {
      RC_ASSERT(in.view(16).size() <= 16U);
    } else {
      const std::uint32_t n = in.count(1000, 3);
      RC_ASSERT(n <= 1000U && n * 3ULL <= in.left());
    }
    RC_ASSERT(in.left() < left);
    left = in.left();
  }
}

// So that nothing that is done with two of them overflows.
TEST(Bytes, TimesAreReadOnlyFromTheYearsThatMayBeSubtracted) {
  const auto read = [](std::int64_t t) {
    ByteWriter out;
    out.i64(t);
    ByteReader in(out.bytes());
    const std::int64_t back = in.time();
    return in.failed() ? std::string("refused") : std::to_string(back);
  };
  const std::int64_t oldest = ByteReader::kOldestTime, farthest = ByteReader::kFarthestTime;
  for (const std::int64_t t : {INT64_MIN, oldest, std::int64_t{0}, farthest}) EXPECT_EQ(read(t), std::to_string(t));
  for (const std::int64_t t : {INT64_MIN + 1, oldest - 1, farthest + 1, INT64_MAX}) EXPECT_EQ(read(t), "refused") << t;
  EXPECT_LE(static_cast<__int128>(farthest) - oldest, INT64_MAX);
}

}  // namespace
}  // namespace driftd

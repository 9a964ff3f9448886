#include "core/sensor_dictionary.h"

#include <gtest/gtest.h>

#include <random>

namespace driftd {
namespace {

constexpr Duration kIdle = 16 * kMinute;  // a grain is a minute

std::string saved(const SensorDictionary& d) {
  ByteWriter out;
  d.save(out);
  return out.take();
}

TEST(SensorDictionary, GivesNumbersUpToItsCap) {
  SensorDictionary d({.cap = 2, .idle = kIdle});
  EXPECT_EQ(d.intern("a", 0), 0U);
  EXPECT_EQ(d.intern("b", 1), 1U);
  EXPECT_EQ(d.intern("a", 2), 0U);
  EXPECT_EQ(d.intern("c", 3), SensorDictionary::kNone);
  EXPECT_EQ(d.live(), 2U);
  EXPECT_TRUE(d.evicted().empty());
}

TEST(SensorDictionary, TheOneSilentTheLongestGoesOnceItIsSilentForLongEnough) {
  SensorDictionary d({.cap = 3, .idle = kIdle});
  d.intern("a", 0);
  d.intern("b", 0);
  d.intern("c", 0);
  d.intern("a", 2 * kMinute);
  d.intern("b", 10 * kMinute);
  EXPECT_EQ(d.intern("d", kIdle + kMinute - 1), SensorDictionary::kNone);  // c may have been seen a grain later
  EXPECT_EQ(d.intern("d", kIdle + kMinute), 3U);
  EXPECT_EQ(d.evicted(), std::vector<std::uint32_t>{2});
  EXPECT_EQ(d.text(2), "c");  // until its number is given to another
  EXPECT_EQ(d.live(), 3U);
  EXPECT_EQ(d.intern("c", kIdle + kMinute), SensorDictionary::kNone);  // it is new now, and a is not old enough
  EXPECT_EQ(d.intern("a", kIdle + kMinute), 0U);
  EXPECT_EQ(d.intern("c", 10 * kMinute + kIdle + kMinute), 4U);
  EXPECT_EQ(d.evicted(), (std::vector<std::uint32_t>{2, 1}));
}

TEST(SensorDictionary, NumbersRestBeforeTheyAreGivenAgain) {
  constexpr Duration kRest = kIdle;
  SensorDictionary d({.cap = 1, .idle = kIdle, .rest = kRest});
  std::uint32_t most = 0, again = 0;
  Time last = 0;
  for (std::uint32_t i = 0; i < SensorDictionary::kRestEvictions + 100; ++i) {
    const std::uint32_t number = d.intern("s" + std::to_string(i), last += kIdle + kMinute);
    ASSERT_NE(number, SensorDictionary::kNone);
    again += number < most ? 1 : 0;
    most = std::max(most, number);
    ASSERT_EQ(d.evicted().size(), i == 0 ? 0U : 1U);
    d.clear_evicted();
  }
  EXPECT_EQ(d.size(), SensorDictionary::kRestEvictions + 1);
  EXPECT_EQ(most, SensorDictionary::kRestEvictions);
  EXPECT_EQ(again, 99U);  // the others, in the order in which they were given up
}

TEST(SensorDictionary, GoesOnTheSameAfterARestart) {
  std::mt19937 random(1);
  SensorDictionary d({.cap = 50, .idle = kIdle, .rest = kMinute});
  Time now = 0;
  for (int i = 0; i < 20000; ++i) {
    now += static_cast<Duration>(random() % 60) * kSecond;
    const std::string name = "s" + std::to_string(random() % (random() % 3 == 0 ? 1000 : 40));
    d.clear_evicted();
    if (i % 500 == 0) {
      SensorDictionary restored({.cap = 50, .idle = kIdle, .rest = kMinute});
      const std::string state = saved(d);
      ByteReader in(state);
      ASSERT_TRUE(restored.load(in).ok());
      ASSERT_EQ(in.left(), 0U);
      ASSERT_EQ(saved(restored), state);
      for (int k = 0; k < 200; ++k) {
        const std::string other = "s" + std::to_string(random() % 300);
        now += static_cast<Duration>(random() % 60) * kSecond;
        ASSERT_EQ(restored.intern(other, now), d.intern(other, now));
      }
      ASSERT_EQ(restored.evicted(), d.evicted());
    }
    const std::uint32_t number = d.intern(name, now);
    if (number != SensorDictionary::kNone) {
      ASSERT_EQ(d.text(number), name);
    }
    ASSERT_LE(d.live(), 50U);
  }
  EXPECT_GT(d.size(), 60U) << "nothing was ever evicted";
}

TEST(SensorDictionary, RefusesADamagedState) {
  SensorDictionary d({.cap = 2, .idle = kIdle});
  for (int i = 0; i < 5; ++i) d.intern("s" + std::to_string(i), i * kHour);
  d.clear_evicted();
  const std::string state = saved(d);
  for (std::size_t size = 0; size < state.size(); ++size) {
    ByteReader in(std::string_view(state).substr(0, size));
    SensorDictionary other({.cap = 2, .idle = kIdle});
    EXPECT_FALSE(other.load(in).ok()) << size;
  }
}

}  // namespace
}  // namespace driftd

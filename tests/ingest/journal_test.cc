#include "ingest/journal.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <limits>
#include <thread>

#include "ingest/journal_cursor.h"
#include "tests/disk.h"
#include "tests/full_disk.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::ingest {
namespace {

namespace fs = std::filesystem;

class JournalTest : public testing::Test {
 protected:
  JournalOptions options() const {
    JournalOptions o;
    o.folder = folder_.path() + "/journal";
    o.cap = cap_;
    o.segment = segment_;
    o.partitions = 4;
    return o;
  }
  std::unique_ptr<Journal> open() {
    auto journal = Journal::open(options());
    EXPECT_TRUE(journal.ok()) << journal.error().message;
    return journal.ok() ? std::move(*journal) : nullptr;
  }
  // Records "payload N" for N from..to-1, one call each.
  static void fill(Journal& journal, int from, int to) {
    for (int i = from; i < to; ++i) {
      const std::string payload = "payload " + std::to_string(i);
      std::vector<JournalEntry> one = {
          {0, i * kSecond, static_cast<std::uint32_t>(i % 4), static_cast<std::uint32_t>(i), "topic/a", payload}};
      const Status s = journal.append(one);
      ASSERT_TRUE(s.ok()) << s.error().message;
      EXPECT_EQ(one[0].sequence, i);
    }
  }
  struct Read {
    std::vector<std::int64_t> sequences;
    std::int64_t lost = 0;
  };
  static Read read(const Journal& journal, std::int64_t from = 0) {
    Read out;
    JournalCursor cursor(journal, from);
    JournalCursor::Chunk chunk;
    while (true) {
      const auto got = cursor.next(chunk);
      EXPECT_TRUE(got.ok());
      if (!got.ok() || !*got) return out;
      for (const auto& gap : chunk.gaps) out.lost += gap.next - gap.first;
      for (const JournalEntry& e : chunk.entries) {
        EXPECT_EQ(e.payload, "payload " + std::to_string(e.sequence));
        EXPECT_EQ(e.topic, "topic/a");
        EXPECT_EQ(e.arrival, e.sequence * kSecond);
        EXPECT_EQ(e.partition, e.sequence % 4);
        EXPECT_EQ(e.packet_id, e.sequence);
        out.sequences.push_back(e.sequence);
      }
    }
  }
  static std::vector<std::int64_t> numbers(int from, int to) {
    std::vector<std::int64_t> out;
    for (int i = from; i < to; ++i) out.push_back(i);
    return out;
  }
  std::vector<fs::path> segments() const {
    std::vector<fs::path> out;
    for (const auto& e : fs::directory_iterator(options().folder)) out.push_back(e.path());
    std::sort(out.begin(), out.end());
    return out;
  }
  static std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

  TempFolder folder_;
  std::uint64_t cap_ = 1 << 20, segment_ = 1000;
};

TEST_F(JournalTest, KeepsRecordsOverSegmentsAndReopening) {
  auto journal = open();
  fill(*journal, 0, 100);
  EXPECT_EQ(journal->end(), 100);
  EXPECT_GT(segments().size(), 3U);
  EXPECT_EQ(read(*journal).sequences, numbers(0, 100));
  EXPECT_EQ(read(*journal, 42).sequences, numbers(42, 100));
  journal.reset();
  journal = open();
  EXPECT_EQ(journal->end(), 100);
  fill(*journal, 100, 120);
  const Read all = read(*journal);
  EXPECT_EQ(all.sequences, numbers(0, 120));
  EXPECT_EQ(all.lost, 0);
}

TEST_F(JournalTest, ACursorGoesOnWhereTheWriterIs) {
  auto journal = open();
  JournalCursor cursor(*journal, 0);
  JournalCursor::Chunk chunk;
  EXPECT_EQ(cursor.next(chunk).value(), false);
  fill(*journal, 0, 3);
  EXPECT_EQ(cursor.next(chunk).value(), true);
  EXPECT_EQ(chunk.entries.size(), 3U);
  EXPECT_EQ(cursor.next(chunk).value(), false);
  fill(*journal, 3, 50);
  std::size_t more = 0;
  while (cursor.next(chunk).value()) more += chunk.entries.size();
  EXPECT_EQ(more, 47U);
}

TEST_F(JournalTest, ARecordLongerThanAChunkIsRead) {
  cap_ = 4 << 20;
  auto journal = open();
  const std::string big(1 << 20, 'x');
  std::vector<JournalEntry> one = {{0, 0, 0, 0, "", big}};
  ASSERT_TRUE(journal->append(one).ok());
  JournalCursor cursor(*journal, 0);
  JournalCursor::Chunk chunk;
  ASSERT_TRUE(cursor.next(chunk).value());
  ASSERT_EQ(chunk.entries.size(), 1U);
  EXPECT_EQ(chunk.entries[0].payload, big);
}

TEST_F(JournalTest, IsFullAtItsCapAndNotBefore) {
  auto journal = open();
  std::vector<JournalEntry> one = {{0, 0, 0, 0, "", "0123456789"}};
  ASSERT_TRUE(journal->append(one).ok());
  const std::uint64_t used = journal->bytes();
  journal.reset();
  cap_ = used + kFrameOverhead + 10;
  journal = open();
  one[0].payload = "0123456789!";
  const Status over = journal->append(one);
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.error().code, ErrorCode::kExhausted);
  EXPECT_NE(over.error().message.find("service.limits.journal"), std::string::npos);
  one[0].payload = "0123456789";
  EXPECT_TRUE(journal->append(one).ok());
  EXPECT_EQ(journal->bytes(), cap_);
  EXPECT_EQ(journal->end(), 2);
}

TEST_F(JournalTest, DeletesSegmentsThatNobodyNeeds) {
  auto journal = open();
  fill(*journal, 0, 100);
  const std::uint64_t before = journal->bytes();
  const std::size_t files = segments().size();
  journal->release(50);
  EXPECT_LT(journal->bytes(), before);
  EXPECT_LT(segments().size(), files);
  EXPECT_LE(journal->begin(), 50);
  EXPECT_EQ(read(*journal, 50).sequences, numbers(50, 100));
  journal->release(1000);
  EXPECT_EQ(segments().size(), 1U) << "the newest stays: it has the numbers";
  EXPECT_EQ(journal->end(), 100);
  std::uint64_t on_disk = 0;
  for (const auto& path : segments()) on_disk += fs::file_size(path);
  EXPECT_EQ(journal->bytes(), on_disk);
}

// Of its newest segment too: a journal that is full of what nobody needs would be full for ever.
TEST_F(JournalTest, WhatNobodyNeedsGivesWayToWhatComes) {
  cap_ = 1000;
  auto journal = open();
  const std::string payload(700, 'x');
  std::vector<JournalEntry> one = {{0, 0, 0, 0, "", payload}};
  ASSERT_TRUE(journal->append(one).ok());
  EXPECT_EQ(journal->append(one).error().code, ErrorCode::kExhausted) << "the first one is needed";
  journal->release(1);
  EXPECT_EQ(journal->begin(), 0) << "only when its room is needed";
  for (int i = 1; i < 4; ++i) {
    ASSERT_TRUE(journal->append(one).ok());
    EXPECT_EQ(one[0].sequence, i);
    EXPECT_EQ(journal->begin(), i);
    EXPECT_EQ(segments().size(), 1U);
    journal->release(i + 1);
  }
  ASSERT_TRUE(journal->make_room(900).ok());
  EXPECT_EQ(journal->bytes(), kSegmentHeaderBytes);
  EXPECT_EQ(journal->end(), 4);
}

TEST_F(JournalTest, AnOlderJournalOverALowerCapGivesWay) {
  auto journal = open();
  fill(*journal, 0, 100);
  const std::uint64_t before = journal->bytes();
  journal.reset();
  cap_ = before / 10;
  journal = open();
  std::vector<JournalEntry> one = {{0, 0, 0, 0, "", "x"}};
  EXPECT_EQ(journal->append(one).error().code, ErrorCode::kExhausted);
  journal->release(99);
  EXPECT_LE(journal->bytes(), before / 10 + segment_ + 100);
  journal->release(100);
  ASSERT_TRUE(journal->append(one).ok());
  EXPECT_EQ(one[0].sequence, 100);
}

TEST_F(JournalTest, TakesAllThatAnEmptyOneHoldsAndSaysWhatItNeverCan) {
  cap_ = 2000;
  auto journal = open();
  std::string payload(cap_ - kSegmentHeaderBytes - kFrameOverhead, 'x');
  std::vector<JournalEntry> one = {{0, 0, 0, 0, "", payload}};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(journal->append(one).ok()) << i;
    EXPECT_EQ(journal->bytes(), cap_);
    journal->release(i + 1);
  }
  payload += 'x';
  one[0].payload = payload;
  const Status never = journal->append(one);
  ASSERT_FALSE(never.ok());
  EXPECT_EQ(never.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(never.error().message.find("service.limits.journal"), std::string::npos);
  EXPECT_EQ(journal->end(), 3);
}

// The header of the next segment counts too.
TEST_F(JournalTest, IsNeverOverItsCap) {
  cap_ = 2500;
  auto journal = open();
  std::vector<JournalEntry> one = {{0, 0, 0, 0, "", "x"}};
  while (journal->append(one).ok()) EXPECT_LE(journal->bytes(), cap_);
  EXPECT_GT(journal->bytes() + kSegmentHeaderBytes + kFrameOverhead + 1, cap_);
}

TEST_F(JournalTest, NumbersGoOnWhereverItsLastSegmentWasWhenItDied) {
  auto journal = open();
  fill(*journal, 0, 5);
  const fs::path old_path = segments().back();
  const std::string old_bytes = contents(old_path);
  cap_ = journal->bytes() + 10;
  journal.reset();
  journal = open();
  journal->release(5);
  ASSERT_TRUE(journal->make_room(100).ok());
  journal.reset();
  ASSERT_EQ(segments().size(), 1U);
  const fs::path new_path = segments().back();
  const std::string new_bytes = contents(new_path);
  ASSERT_NE(new_path, old_path);
  cap_ = 1 << 20;
  for (std::size_t written = 0; written <= new_bytes.size() + 1; ++written) {
    fs::remove_all(options().folder);
    fs::create_directories(options().folder);
    const bool both = written <= new_bytes.size();
    if (both) write(old_path, old_bytes);
    write(new_path, new_bytes.substr(0, written));
    journal = open();
    ASSERT_NE(journal, nullptr) << written;
    EXPECT_EQ(journal->end(), 5) << written;
    fill(*journal, 5, 8);
    const Read all = read(*journal);
    EXPECT_EQ(all.sequences, numbers(both ? 0 : 5, 8)) << written;
    EXPECT_EQ(all.lost, 0) << written;
    journal.reset();
  }
}

TEST_F(JournalTest, WhatItIsAskedToKeepStaysAsLongAsThereIsRoom) {
  cap_ = 5000;
  auto journal = open();
  fill(*journal, 0, 60);
  journal->release(60, 0);
  EXPECT_EQ(journal->begin(), 0);
  fill(*journal, 60, 100);
  EXPECT_GT(journal->begin(), 0) << "the oldest went";
  EXPECT_LT(journal->begin(), 50) << "and no more than that";
  const std::string payload(3000, 'x');
  std::vector<JournalEntry> large = {{0, 0, 0, 0, "", payload}};
  EXPECT_EQ(journal->append(large).error().code, ErrorCode::kExhausted);
  EXPECT_LE(journal->begin(), 60) << "from here on it is needed";
  EXPECT_EQ(read(*journal, 60).sequences, numbers(60, 100));
}

TEST_F(JournalTest, NumbersCanGoOnFurtherAndNeverBack) {
  auto journal = open();
  ASSERT_TRUE(journal->begin_at(40).ok());
  EXPECT_EQ(segments().size(), 1U) << "what has no record is not kept";
  EXPECT_EQ(journal->begin(), 40);
  fill(*journal, 40, 45);
  ASSERT_TRUE(journal->begin_at(42).ok());
  EXPECT_EQ(journal->end(), 45);
  ASSERT_TRUE(journal->begin_at(60).ok());
  fill(*journal, 60, 62);
  journal.reset();
  journal = open();
  EXPECT_EQ(journal->end(), 62);
  const Read all = read(*journal);
  EXPECT_EQ(all.sequences.size(), 7U);
  EXPECT_EQ(all.sequences.back(), 61);
  EXPECT_EQ(all.lost, 15);
}

// Whatever part of the last write reached the disk, what was acknowledged before it is there.
TEST_F(JournalTest, EveryTornTailIsCutOff) {
  auto journal = open();
  fill(*journal, 0, 5);
  journal.reset();
  const fs::path path = segments().back();
  const std::string whole = contents(path);
  journal = open();
  fill(*journal, 5, 6);
  journal.reset();
  const std::string longer = contents(path);
  for (std::size_t size = whole.size(); size < longer.size(); ++size) {
    write(path, longer.substr(0, size) + std::string(size % 3, '\0'));
    journal = open();
    ASSERT_NE(journal, nullptr);
    EXPECT_EQ(journal->end(), 5) << size;
    EXPECT_EQ(fs::file_size(path), whole.size()) << size;
    fill(*journal, 5, 7);
    EXPECT_EQ(read(*journal).sequences, numbers(0, 7));
    journal.reset();
  }
}

TEST_F(JournalTest, DamageCostsWhatItHitsAndIsCounted) {
  auto journal = open();
  fill(*journal, 0, 60);
  journal.reset();
  const fs::path first = segments().front();
  const std::string good = contents(first);
  const std::size_t frame = kFrameOverhead + 7 + 9;  // of "topic/a" and "payload N"
  for (std::size_t at = kSegmentHeaderBytes; at < good.size(); at += 5) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    write(first, bad);
    journal = open();
    ASSERT_NE(journal, nullptr);
    const Read r = read(*journal);
    EXPECT_EQ(r.lost, 1) << at;
    EXPECT_EQ(r.sequences.size(), 59U) << at;
    const auto hit = static_cast<std::int64_t>((at - kSegmentHeaderBytes) / frame);
    if (hit < 10) {
      EXPECT_EQ(std::count(r.sequences.begin(), r.sequences.end(), hit), 0) << at;
    }
    journal.reset();
  }
}

TEST_F(JournalTest, DamageInTheNewestSegmentDoesNotCostWhatFollows) {
  auto journal = open();
  fill(*journal, 0, 5);
  journal.reset();
  const fs::path path = segments().back();
  std::string bytes = contents(path);
  bytes[kSegmentHeaderBytes + 40] = '!';
  write(path, bytes);
  journal = open();
  EXPECT_EQ(journal->end(), 5);
  const Read r = read(*journal);
  EXPECT_EQ(r.sequences, numbers(1, 5));
  EXPECT_EQ(r.lost, 1);
}

// A sender may put a frame with a right checksum into its payload, and hope for damage.
TEST_F(JournalTest, AFrameInsideAPayloadIsNoRecord) {
  const std::size_t kSizeField = 0, kChecksum = 4;
  for (const std::int64_t forged_sequence : {1'000'000'000'000LL, 20LL, 3LL, 6LL}) {
    fs::remove_all(options().folder);
    auto journal = open();
    fill(*journal, 0, 5);
    journal.reset();
    const fs::path path = segments().back();
    const std::size_t whole = contents(path).size();
    std::string payload = "x";
    append_frame(payload, {forged_sequence, 0, 0, 0, "topic/a", "forged"});
    payload += std::string(100, 'y');
    std::vector<JournalEntry> one = {{0, 0, 0, 0, "topic/a", payload}};
    journal = open();
    ASSERT_TRUE(journal->append(one).ok());
    fill(*journal, 6, 9);
    journal.reset();
    const std::string bytes = contents(path);
    const bool can_be = forged_sequence == 6;  // what fits the damage cannot be told from a record by itself
    const auto reopened = [&](const std::string& damaged) {
      write(path, damaged);
      journal = open();
      return journal->end();
    };
    if (!can_be) {
      EXPECT_EQ(reopened(bytes.substr(0, whole + kFrameOverhead + 7 + payload.size() - 50)), 5) << "torn";
    }
    for (const std::size_t at : {kSizeField, kChecksum}) {
      if (can_be && at == kSizeField) continue;
      std::string bad = bytes;
      bad[whole + at] = static_cast<char>(bad[whole + at] ^ 0x21);
      EXPECT_EQ(reopened(bad), 9) << at;
      const Read r = read(*journal);
      EXPECT_EQ(r.sequences, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 6, 7, 8})) << at;
      EXPECT_EQ(r.lost, 1) << at;
    }
    journal.reset();
  }
}

TEST_F(JournalTest, DamageInALargeSegmentIsReadPastInChunks) {
  cap_ = 8 << 20;
  segment_ = 4 << 20;
  auto journal = open();
  std::vector<JournalEntry> many;
  const std::string large(300 << 10, 'z');  // longer than a chunk, behind the damage
  for (int i = 0; i < 20'000; ++i) many.push_back({0, 0, 0, 0, "", i == 2 ? std::string_view(large) : std::string_view("payload")});
  ASSERT_TRUE(journal->append(many).ok());
  std::string bytes = contents(segments().back());
  bytes[kSegmentHeaderBytes + kFrameOverhead + 7] ^= 1;  // the size of record 1
  write(segments().back(), bytes);
  JournalCursor cursor(*journal, 0);
  JournalCursor::Chunk chunk;
  std::size_t read = 0;
  std::int64_t lost = 0;
  while (cursor.next(chunk).value()) {
    read += chunk.entries.size();
    EXPECT_LT(chunk.entries.size(), 10'000U);
    for (const auto& gap : chunk.gaps) lost += gap.next - gap.first;
  }
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(read, 19'999U);
}

TEST_F(JournalTest, RefusesAnotherNumberOfPartitionsAndFilesThatWereRenamed) {
  open().reset();
  JournalOptions other = options();
  other.partitions = 5;
  const auto refused = Journal::open(other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("partitions: 4"), std::string::npos);
  fs::rename(segments().back(), options().folder + "/00000000000000000007.journal");
  const auto renamed = Journal::open(options());
  ASSERT_FALSE(renamed.ok());
  EXPECT_EQ(renamed.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(renamed.error().message.find("00000000000000000000.journal"), std::string::npos) << renamed.error().message;
}

// Its name has the first number, and its neighbours how many partitions there are.
TEST_F(JournalTest, ADamagedHeaderOfTheNewestSegmentCostsNothing) {
  auto journal = open();
  fill(*journal, 0, 60);
  journal.reset();
  const fs::path path = segments().back();
  const std::string good = contents(path);
  for (std::size_t at = 0; at < kSegmentHeaderBytes; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    write(path, bad);
    JournalOptions other = options();
    other.partitions = 5;
    EXPECT_EQ(Journal::open(other).error().code, ErrorCode::kInvalidArgument) << at;
    journal = open();
    ASSERT_NE(journal, nullptr) << at;
    EXPECT_TRUE(journal->mended());
    const Read r = read(*journal);
    EXPECT_EQ(r.sequences, numbers(0, 60)) << at;
    EXPECT_EQ(r.lost, 0);
    journal.reset();
    EXPECT_EQ(contents(path), good) << "written anew";
    EXPECT_FALSE(open()->mended());
  }
}

TEST_F(JournalTest, ASegmentThatIsNoneIsBegunAnew) {
  open().reset();
  write(segments().back(), std::string(100, 'x'));
  auto journal = open();
  ASSERT_NE(journal, nullptr);
  EXPECT_TRUE(journal->mended());
  fill(*journal, 0, 3);
  EXPECT_EQ(read(*journal).sequences, numbers(0, 3));
}

TEST_F(JournalTest, ASegmentThatWasOnlyBegunIsBegunAgain) {
  auto journal = open();
  fill(*journal, 0, 3);
  journal.reset();
  write(options().folder + "/00000000000000000003.journal", "dJr");
  journal = open();
  EXPECT_EQ(journal->end(), 3);
  fill(*journal, 3, 5);
  EXPECT_EQ(read(*journal).sequences, numbers(0, 5));
}

TEST_F(JournalTest, WritersThatComeTogetherAreAllNumberedOnce) {
  cap_ = 64 << 20;
  auto journal = open();
  constexpr int kThreads = 4, kEach = 50;
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::vector<std::int64_t> given;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    JournalCursor cursor(*journal, 0);
    JournalCursor::Chunk chunk;
    std::int64_t next = 0;
    while (next < kThreads * kEach) {
      journal->wait(next, Deadline::after(kSecond));
      while (cursor.next(chunk).value()) {
        for (const JournalEntry& e : chunk.entries) EXPECT_EQ(e.sequence, next++);
      }
      if (done && next == 0) break;
    }
  });
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        std::vector<JournalEntry> one = {{0, 0, 0, 0, "t", "p"}};
        EXPECT_TRUE(journal->append(one).ok());
        const std::lock_guard lock(mutex);
        given.push_back(one[0].sequence);
      }
    });
  }
  for (auto& t : threads) t.join();
  done = true;
  reader.join();
  std::sort(given.begin(), given.end());
  EXPECT_EQ(given, numbers(0, kThreads * kEach));
}

TEST_F(JournalTest, ADiskThatRefusesLeavesNothingHalfDone) {
  auto journal = open();
  fill(*journal, 0, 3);
  std::vector<JournalEntry> one = {{0, 0, 0, 0, "topic/a", "payload 3"}};
  Status refused;
  {
    const FullDisk full(journal->bytes() + 20);
    refused = journal->append(one);
  }
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_EQ(journal->end(), 3);
  EXPECT_TRUE(journal->probe().ok());
  fill(*journal, 3, 6);
  EXPECT_EQ(read(*journal).sequences, numbers(0, 6));
  journal.reset();
  journal = open();
  EXPECT_EQ(read(*journal).sequences, numbers(0, 6));
}

// The disk neither takes the records for sure nor lets go of them: whoever sent them was told so, and sends them again.
TEST_F(JournalTest, WhatWasRefusedIsNotThereForTheNextStart) {
  auto journal = open();
  fill(*journal, 0, 3);
  std::vector<JournalEntry> refused = {{0, 0, 0, 0, "topic/a", "payload"}, {0, 0, 0, 0, "topic/a", "payload"}};
  disk_sync_error = disk_cut_error = EIO;
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(journal->append(refused).ok());
  journal.reset();  // as after a kill, before it could be cut off
  disk_sync_error = disk_cut_error = 0;
  journal = open();
  EXPECT_EQ(journal->end(), 3);
  EXPECT_EQ(read(*journal).sequences, numbers(0, 3));
  fill(*journal, 3, 6);
  EXPECT_EQ(read(*journal).sequences, numbers(0, 6));
}

TEST_F(JournalTest, ASegmentFollowsNoneThatIsToBeCut) {
  cap_ = segment_ = 4000;
  auto journal = open();
  fill(*journal, 0, 3);
  std::vector<JournalEntry> refused = {{0, 0, 0, 0, "topic/a", "payload"}};
  disk_sync_error = disk_cut_error = EIO;
  EXPECT_FALSE(journal->append(refused).ok());
  // Room is wanted, for which the newest segment would go, and an empty one come in its place.
  disk_sync_error = 0;
  journal->release(3);
  const std::uint64_t all = cap_ - kSegmentHeaderBytes;
  EXPECT_FALSE(journal->make_room(all).ok()) << "not behind what may be taken for a record yet";
  EXPECT_EQ(journal->begin(), 0);
  disk_cut_error = 0;
  EXPECT_TRUE(journal->make_room(all).ok());
  EXPECT_EQ(journal->begin(), 3);
  fill(*journal, 3, 4);
  EXPECT_EQ(read(*journal).sequences, numbers(3, 4));
}

TEST_F(JournalTest, HowFarTheClockMayBeBehindStandsWithTheRecord) {
  auto journal = open();
  const std::vector<Clock::Behind> behind = {{0, 0}, {1, 1}, {kHour, kDay}, {0, 0}, {0, std::numeric_limits<Duration>::max()}};
  const std::uint64_t before = journal->bytes();
  std::vector<JournalEntry> entries;
  std::uint64_t size = 0;
  for (const Clock::Behind& b : behind) {
    entries.push_back({0, kSecond, 1, 0, "topic/a", "payload", b});
    size += frame_size(entries.back());
  }
  ASSERT_TRUE(journal->append(entries).ok());
  EXPECT_EQ(journal->bytes() - before, size);
  journal.reset();
  journal = open();
  JournalCursor cursor(*journal, 0);
  JournalCursor::Chunk chunk;
  ASSERT_TRUE(cursor.next(chunk).value());
  ASSERT_EQ(chunk.entries.size(), behind.size());
  for (std::size_t i = 0; i < behind.size(); ++i) {
    EXPECT_EQ(chunk.entries[i].behind.least, behind[i].least);
    EXPECT_EQ(chunk.entries[i].behind.most, behind[i].most);
    EXPECT_EQ(chunk.entries[i].topic, "topic/a");
    EXPECT_EQ(chunk.entries[i].payload, "payload");
  }
}

}  // namespace
}  // namespace driftd::ingest

#include "ingest/record_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace driftd::ingest {
namespace {

class RecordReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(testing::TempDir()) / ("reader" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string write(const std::string& name, const std::string& bytes) {
    const auto path = (dir_ / name).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  // All records as "position:payload".
  static std::vector<std::string> all(RecordReader& reader) {
    std::vector<std::string> out;
    RawBatch batch;
    while (!reader.finished()) {
      const auto got = reader.read(Deadline::after(kSecond), batch);
      EXPECT_TRUE(got.ok());
      if (!got.ok()) break;
      if (!*got) continue;
      for (const RawRecord& record : batch.records) {
        out.push_back(std::to_string(record.position) + ":" + std::string(record.payload));
      }
      EXPECT_EQ(batch.next_position, batch.records.back().position + 1);
    }
    return out;
  }
  std::vector<std::string> all(const std::vector<std::string>& paths, const ReaderOptions& options, std::int64_t start = 0) {
    auto reader = RecordReader::open(paths, options);
    EXPECT_TRUE(reader.ok());
    reader->start_at(start);
    return all(*reader);
  }

  std::filesystem::path dir_;
};

using Texts = std::vector<std::string>;

TEST_F(RecordReaderTest, SplitsTheSameWhateverTheChunk) {
  const std::string lines = write("a.jsonl", "\xEF\xBB\xBF{\"a\":1}\r\n\n{\"a\":\"x\"}\n{\"a\":3}");
  const std::string rows = write("a.csv", "a,b\n1,\"x\ny\"\"\n\"\n3,q\"q\n\n4,\"open\nend\n");
  for (std::size_t chunk = 1; chunk < 50; ++chunk) {
    ReaderOptions options;
    options.chunk = chunk;
    EXPECT_EQ(all({lines}, options), (Texts{"0:{\"a\":1}", "1:{\"a\":\"x\"}", "2:{\"a\":3}"})) << chunk;
    options.max_records = 1 + chunk % 3;
    options.format = FileFormat::kCsv;
    EXPECT_EQ(all({rows}, options), (Texts{"0:a,b", "1:1,\"x\ny\"\"\n\"", "2:3,q\"q", "3:4,\"open\nend\n"})) << chunk;
  }
}

TEST_F(RecordReaderTest, SeveralFilesAreOneSequence) {
  const Texts paths = {write("b.jsonl", "1\n2"), write("c.jsonl", ""), write("d.jsonl", "3\n")};
  EXPECT_EQ(all(paths, {}), (Texts{"0:1", "1:2", "2:3"}));
  EXPECT_EQ(all({(dir_ / "?.jsonl").string()}, {}), (Texts{"0:1", "1:2", "2:3"}));
  EXPECT_EQ(all(paths, {}, 2), (Texts{"2:3"}));
  EXPECT_EQ(all(paths, {}, 9), Texts{});
}

TEST_F(RecordReaderTest, CutsWhatIsTooLong) {
  for (const std::size_t chunk : {1, 3, 7, 100}) {
    ReaderOptions options;
    options.chunk = chunk;
    options.max_record = 4;
    EXPECT_EQ(all({write("e", "1234\n12345\n123456789\nab\n")}, options), (Texts{"0:1234", "1:12345", "2:12345", "3:ab"})) << chunk;
    EXPECT_EQ(all({write("f", "123456789")}, options), Texts{"0:12345"}) << chunk;
  }
}

TEST_F(RecordReaderTest, AnUnclosedQuoteCostsNoMoreThanItsLimit) {
  const std::string open = write("g", "\"a\nb\ncd\nef\ngh\n");
  const std::string closed = write("k", "\"a\nbcde\nf\"\nij\n");  // too large, so that its end is not looked for
  for (std::size_t chunk = 1; chunk < 20; ++chunk) {
    ReaderOptions options;
    options.format = FileFormat::kCsv;
    options.max_record = 4;
    options.chunk = chunk;
    EXPECT_EQ(all({open}, options), (Texts{"0:\"a\nb\n", "1:ef", "2:gh"})) << chunk;
    EXPECT_EQ(all({closed}, options), (Texts{"0:\"a\nbc", "1:f\"", "2:ij"})) << chunk;
  }
}

TEST_F(RecordReaderTest, OneOfTheLargestSizeIsWholeWhateverItsLineEnd) {
  for (std::size_t chunk = 1; chunk < 20; ++chunk) {
    ReaderOptions options;
    options.max_record = 4;
    options.chunk = chunk;
    EXPECT_EQ(all({write("l", "1234\r\n1234\r5\nab")}, options), (Texts{"0:1234", "1:1234\r", "2:ab"})) << chunk;
  }
}

TEST_F(RecordReaderTest, HoldsBoundedMemory) {
  ReaderOptions options;
  options.chunk = 1000;
  options.max_record = 1000;
  auto reader = RecordReader::open({write("h", std::string(1000000, 'x') + "\nend\n")}, options);
  ASSERT_TRUE(reader.ok());
  RawBatch batch;
  while (!reader->finished()) {
    ASSERT_TRUE(reader->read(Deadline::after(kSecond), batch).ok());
    EXPECT_LE(batch.arena.size(), 3000U);
  }
}

TEST_F(RecordReaderTest, SaysWhatCannotBeRead) {
  const auto missing = RecordReader::open({(dir_ / "none").string()}, {});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("none"), std::string::npos);
  EXPECT_FALSE(RecordReader::open({(dir_ / "*.none").string()}, {}).ok());
  EXPECT_FALSE(RecordReader::open({dir_.string()}, {}).ok());
}

TEST_F(RecordReaderTest, AFileThatVanishesIsAnError) {
  const std::string path = write("i", "1\n");
  auto reader = RecordReader::open({path}, {});
  ASSERT_TRUE(reader.ok());
  std::filesystem::remove(path);
  RawBatch batch;
  EXPECT_FALSE(reader->read(Deadline::after(kSecond), batch).ok());
}

}  // namespace
}  // namespace driftd::ingest

#include "core/files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/ingest/temp_folder.h"

namespace driftd {
namespace {

std::string bytes_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(Files, AFileIsReplacedAsAWholeOrStays) {
  const ingest::TempFolder folder;
  const std::string path = folder.path() + "/file";
  EXPECT_TRUE(replace_file(path, "abc").ok());
  EXPECT_EQ(bytes_of(path), "abc");
  EXPECT_TRUE(replace_file(path, "").ok());
  EXPECT_EQ(bytes_of(path), "");
  EXPECT_TRUE(append_to_file(path, "d").ok());
  EXPECT_TRUE(append_to_file(path, "e").ok());
  EXPECT_EQ(bytes_of(path), "de");
  // What is written beside it cannot be: the disk is full.
  std::filesystem::create_symlink("/dev/full", path + ".new");
  const Status full = replace_file(path, "xyz");
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::kIo);
  EXPECT_NE(full.error().message.find("No space left"), std::string::npos) << full.error().message;
  EXPECT_EQ(bytes_of(path), "de");
  EXPECT_TRUE(replace_file(path, "xyz").ok()) << "nothing stays in the way";
  EXPECT_EQ(bytes_of(path), "xyz");
}

TEST(Files, AFolderIsSyncedOrItIsSaidWhyNot) {
  const ingest::TempFolder folder;
  EXPECT_TRUE(sync_folder(folder.path()).ok());
  const Status none = sync_folder(folder.path() + "/none");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kIo);
  EXPECT_NE(none.error().message.find("/none: No such file"), std::string::npos) << none.error().message;
}

}  // namespace
}  // namespace driftd

#include "ingest/folder_id.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/ingest/temp_folder.h"

namespace driftd::ingest {
namespace {

TEST(FolderId, IsMadeOnceAFolderAndMadeAgainWhenDamaged) {
  const TempFolder temp;
  const std::string folder = temp.path() + "/stream";
  EXPECT_FALSE(folder_id(folder).ok()) << "there is no folder";
  std::filesystem::create_directories(folder);
  const auto first = folder_id(folder);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->size(), 16U);
  EXPECT_EQ(*folder_id(folder), *first);
  std::ofstream(folder + "/folder.id") << "0123";  // torn
  const auto second = folder_id(folder);
  ASSERT_TRUE(second.ok());
  EXPECT_NE(*second, *first);
  EXPECT_EQ(second->size(), first->size());
}

}  // namespace
}  // namespace driftd::ingest

#include "app/run/data_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "tests/full_disk.h"

namespace driftd::app {
namespace {

class DataLockTest : public ::testing::Test {
 protected:
  DataLockTest() { std::filesystem::create_directories(folder_); }
  ~DataLockTest() override { std::filesystem::remove_all(folder_); }
  const std::string folder_ = ::testing::TempDir() + "data_lock_test_" + std::to_string(getpid());  // tests run beside each other
};

TEST_F(DataLockTest, OneAtATime) {
  auto first = DataLock::take(folder_);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = DataLock::take(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message.find(folder_), std::string::npos);
  first->reset();
  EXPECT_TRUE(DataLock::take(folder_)) << "it ends with the object";
}

TEST_F(DataLockTest, SaysWhereItCannotWrite) {
  const auto lock = DataLock::take(folder_ + "/not/there");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::kIo);
}

TEST_F(DataLockTest, SaysThatNothingCanBeWrittenToAFileThatIsThere) {
  ASSERT_TRUE(DataLock::take(folder_));
  const auto lock = [this] {
    const FullDisk full(0);
    return DataLock::take(folder_);
  }();
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::kIo);
  EXPECT_NE(lock.error().message.find(std::strerror(EFBIG)), std::string::npos) << lock.error().message;
  EXPECT_NE(lock.error().message.find("must be able to write in its data_dir"), std::string::npos);
  EXPECT_TRUE(DataLock::take(folder_)) << "there is room again";
}

}  // namespace
}  // namespace driftd::app

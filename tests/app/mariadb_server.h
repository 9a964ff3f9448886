// A MariaDB of its own for the tests of a file, on a free loopback port; ended with the process, also when that crashes.
//
// It has no system tables, so it starts within a second and takes any user.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "stats/mysql_session.h"

namespace driftd::app {

class MariaDbServer {
 public:
  MariaDbServer() {
    char folder[] = "/tmp/driftd_mariadb_XXXXXX";
    folder_ = mkdtemp(folder);
    connection_.port = free_port();
    connection_.user = "driftd";
    const std::vector<std::string> arguments = {
        "mariadbd", "--no-defaults", "--datadir=" + folder_, "--socket=" + folder_ + "/s.sock",
        // A server that starts removes temporary tables there, also those of another one.
        "--tmpdir=" + folder_, "--pid-file=" + folder_ + "/pid", "--port=" + std::to_string(connection_.port), "--bind-address=127.0.0.1",
        "--skip-name-resolve", "--skip-grant-tables",
        // Small, as it holds little; and a crash of the machine need not be outlived.
        "--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--performance-schema=0",
        "--max-allowed-packet=1M", "--log-error=" + folder_ + "/log", geteuid() == 0 ? "--user=root" : "--console"};
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      execvp(argv[0], argv.data());
      _exit(127);
    }
    await();
  }

  ~MariaDbServer() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }

  MariaDbServer(const MariaDbServer&) = delete;
  MariaDbServer& operator=(const MariaDbServer&) = delete;

  // To a database that is new and empty; call it once a test.
  stats::MysqlConnection fresh_database() {
    connection_.database = "";
    auto session = stats::MysqlSession::connect(connection_);
    EXPECT_TRUE(session) << log();
    if (!session) return connection_;
    connection_.database = "test" + std::to_string(++databases_);
    const auto made = session->execute("CREATE DATABASE " + connection_.database);
    EXPECT_TRUE(made) << made.error().message;
    return connection_;
  }

 private:
  static unsigned free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound =
        bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    close(fd);
    EXPECT_TRUE(bound);
    return ntohs(address.sin_port);
  }

  void await() {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!stats::MysqlSession::connect(connection_)) {
      const bool ended = waitpid(child_, nullptr, WNOHANG) == child_;
      if (ended) child_ = -1;
      if (ended || std::chrono::steady_clock::now() > give_up) {
        ADD_FAILURE() << "mariadbd does not run (scripts/lib/install.sh installs it)\n" << log();
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  std::string log() const {
    std::stringstream out;
    out << std::ifstream(folder_ + "/log").rdbuf();
    return out.str();
  }

  std::string folder_;
  stats::MysqlConnection connection_;
  pid_t child_ = -1;
  unsigned databases_ = 0;
};

}  // namespace driftd::app

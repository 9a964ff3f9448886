// Result<T>: a value or an Error; Status is a Result without a value.
//
// Crosses every folder boundary: no exception of ours exists, and those of third-party code are
// caught in the .cc that calls it. An Error says what failed, where, why and what to do; bad *data*
// is never an Error but a count with a reason (core/reject.h).
// Thread-safety: as the contained type. Cost: no allocation when it holds a value.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace driftd {

enum class ErrorCode {
  kInvalidArgument,  // the caller's value or the configuration is wrong
  kNotFound,         // a named thing does not exist
  kAlreadyExists,    // a named thing exists with another content
  kCorrupt,          // stored or received bytes are not what they claim to be
  kUnavailable,      // a server or device does not answer now; trying again may help
  kExhausted,        // a configured bound is reached (full, too few samples)
  kIo,               // the operating system refused: disk, permission, socket
  kInternal,         // a broken promise inside driftd or a library
};

// "invalid_argument", "not_found", ... as written in logs.
const char* to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  // The same error with the place it passed through put in front: "reading a.csv: ...".
  Error at(const std::string& where) const { return {code, where + ": " + message}; }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Precondition: ok().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Precondition: !ok().
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

inline Status ok_status() { return {}; }

}  // namespace driftd

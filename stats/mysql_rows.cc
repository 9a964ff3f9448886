#include "stats/mysql_rows.h"

#include <mysql.h>

#include <memory>
#include <vector>

#include "core/text.h"

namespace driftd::stats {
namespace {

enum class Form { kNumber, kBits, kTime, kText };

Form form_of(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
    case MYSQL_TYPE_YEAR:
      return Form::kNumber;
    case MYSQL_TYPE_BIT:
      return Form::kBits;
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
      return Form::kTime;
    default:
      return Form::kText;
  }
}

Error failed(MYSQL* mysql, const MysqlConnection& c, const std::string& what) {
  return {ErrorCode::kUnavailable,
          what + " on " + c.user + "@" + c.host + ":" + std::to_string(c.port) + "/" + c.database + ": " + mysql_error(mysql)};
}

void append_value(std::string& out, Form form, const char* text, std::size_t size) {
  const std::string_view value(text, size);
  if (form == Form::kNumber && !value.empty()) {
    // ZEROFILL columns come with zeros in front, which JSON does not allow.
    std::string_view digits = value;
    if (digits.front() == '-') {
      out += '-';
      digits.remove_prefix(1);
    }
    while (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') digits.remove_prefix(1);
    out += digits;
  } else if (form == Form::kBits) {
    // Up to 64 bits as bytes, the greatest first.
    std::uint64_t bits = 0;
    for (const char c : value) bits = bits << 8 | static_cast<unsigned char>(c);
    out += std::to_string(bits);
  } else if (form == Form::kTime && value.size() >= 19) {
    std::string time(value);
    time[10] = 'T';
    append_json_string(out, time + "Z");
  } else {
    append_json_string(out, value);
  }
}

}  // namespace

Result<std::uint64_t> read_mysql_rows(const MysqlConnection& c, const std::string& query,
                                      const std::function<Status(std::string_view json)>& row) {
  const std::unique_ptr<MYSQL, decltype(&mysql_close)> mysql(mysql_init(nullptr), mysql_close);
  if (mysql == nullptr) return Error{ErrorCode::kInternal, "the MySQL client library could not be started"};
  mysql_options(mysql.get(), MYSQL_OPT_CONNECT_TIMEOUT, &c.timeout);
  mysql_options(mysql.get(), MYSQL_OPT_READ_TIMEOUT, &c.patience);
  mysql_options(mysql.get(), MYSQL_OPT_WRITE_TIMEOUT, &c.patience);
  mysql_options(mysql.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (c.tls) {
    const my_bool yes = 1;
    mysql_options(mysql.get(), MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_options(mysql.get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    if (!c.ca_file.empty()) mysql_options(mysql.get(), MYSQL_OPT_SSL_CA, c.ca_file.c_str());
  }
  if (mysql_real_connect(mysql.get(), c.host.c_str(), c.user.c_str(), c.password.c_str(), c.database.c_str(), c.port, nullptr, 0) ==
      nullptr) {
    return failed(mysql.get(), c, "cannot connect");
  }
  for (const char* setting : {"SET SESSION time_zone = '+00:00'", "START TRANSACTION READ ONLY"}) {
    if (mysql_query(mysql.get(), setting) != 0) return failed(mysql.get(), c, setting);
  }
  const std::string what = "query '" + excerpt(query, 200) + "'";
  if (mysql_real_query(mysql.get(), query.data(), query.size()) != 0) return failed(mysql.get(), c, what);
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_use_result(mysql.get()), mysql_free_result);
  if (result == nullptr) return Error{ErrorCode::kInvalidArgument, what + " gives no rows; it must be a SELECT"};
  const unsigned columns = mysql_num_fields(result.get());
  const MYSQL_FIELD* fields = mysql_fetch_fields(result.get());
  std::vector<std::string> keys;
  std::vector<Form> forms;
  for (unsigned i = 0; i < columns; ++i) {
    std::string key = i == 0 ? "{" : ",";
    append_json_string(key, fields[i].name);
    keys.push_back(key + ":");
    forms.push_back(form_of(fields[i].type));
  }
  std::uint64_t n = 0;
  std::string json;
  while (const MYSQL_ROW values = mysql_fetch_row(result.get())) {
    const unsigned long* sizes = mysql_fetch_lengths(result.get());
    json.clear();
    for (unsigned i = 0; i < columns; ++i) {
      json += keys[i];
      if (values[i] == nullptr) {
        json += "null";
      } else {
        append_value(json, forms[i], values[i], sizes[i]);
      }
    }
    json += '}';
    if (const Status s = row(json); !s) return s.error();
    ++n;
  }
  if (mysql_errno(mysql.get()) != 0) return failed(mysql.get(), c, what + " broke off after " + std::to_string(n) + " rows");
  return n;
}

}  // namespace driftd::stats

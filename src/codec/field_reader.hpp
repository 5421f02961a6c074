// FieldReader: walks a Value beside what it is read into and notes all that is wrong, each with its JSON pointer.
// Lives for one read. The templates that fill structs from their field tables are in fields.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/value.hpp"
#include "model/problem.hpp"

namespace davit::codec {

// More than anybody reads. With the bound on each text it also bounds what a hostile request costs: an answer that repeated
// its megabyte in every line would be a weapon.
inline constexpr std::size_t kMaxProblems = 100;
void add_problem(std::vector<model::Problem>& problems, model::Problem problem);

class FieldReader {
 public:
  // While it lives, the reader stands one level deeper.
  class Scope {
   public:
    Scope(Scope const&) = delete;
    Scope& operator=(Scope const&) = delete;
    ~Scope() { reader_.pointer_.resize(length_); }

   private:
    friend FieldReader;
    Scope(FieldReader& reader, std::string_view token) : reader_(reader), length_(reader.pointer_.size()) {
      (reader.pointer_ += '/') += token;
    }
    FieldReader& reader_;
    std::size_t length_;
  };
  [[nodiscard]] Scope at(std::string_view key) {
    bool const is_plain = key.find_first_of("~/") == std::string_view::npos;  // as are all names of fields
    return is_plain ? Scope(*this, key) : Scope(*this, model::pointer_token(key));
  }
  [[nodiscard]] Scope at(std::size_t index) { return {*this, std::to_string(index)}; }

  void report(std::string_view code, std::string detail);
  // "expected a boolean, got the string \"x\""
  void wrong_type(std::string_view expected, Value const& got);
  // Reports what a short form's parser or a unit's parser refused.
  void invalid(Error const& error) { report(model::problem_code::kInvalidValue, error.message); }

  // The value as what is named, or nothing, after reporting.
  Object const* expect_object(Value const& value);
  Value::Array const* expect_array(Value const& value);
  std::string const* expect_string(Value const& value);
  // The index in `names`.
  std::optional<std::size_t> expect_word(Value const& value, std::span<std::string_view const> names);
  void refuse_unknown(Object const& object, std::span<std::string_view const> known);
  void check_range(double value, std::optional<double> min, std::optional<double> max, std::string_view unit = {});

  std::size_t count() const noexcept { return problems_.size(); }
  void forget_from(std::size_t count) { problems_.resize(count); }
  std::vector<model::Problem> take_problems() { return std::move(problems_); }

 private:
  std::string pointer_ = "#";
  std::vector<model::Problem> problems_;
};

}  // namespace davit::codec

# Reads front matter with Psych, called as Jekyll calls it. Standard input: a JSON list of pages.
# Standard output: what it makes of each page, as readers.py describes it.
require "date"
require "json"
require "psych"

# Jekyll's own pattern (lib/jekyll/document.rb)
FRONT_MATTER = /\A(---\s*\n.*?\n?)^((---|\.\.\.)\s*$\n?)/m

def describe(value)
  case value
  when String then ["string", value]
  when Integer then ["integer", value.to_s]
  when Float then ["float", value.to_s]
  when Array then ["list", value.map { |item| describe(item) }]
  when Hash then ["mapping", value.map { |key, item| [describe(key), describe(item)] }]
  else ["other", value.inspect]
  end
end

pages = JSON.parse($stdin.read.force_encoding("UTF-8"))
results = pages.map do |page|
  if page =~ FRONT_MATTER
    begin
      # lib/jekyll/utils.rb
      describe(Psych.safe_load(Regexp.last_match(1), permitted_classes: [Date, Time], aliases: true))
    rescue StandardError, Psych::SyntaxError => error
      ["refused", error.message]
    end
  else
    ["refused", "no front matter"]
  end
end
$stdout.write(JSON.generate(results))

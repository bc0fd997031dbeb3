# C++ sources as text, for the checks that read them.
package CppText;
use strict;
use warnings;
use Exporter qw(import);
use File::Find qw(find);
our @EXPORT_OK = qw(sources text_of without_comments line_of);

# The sources and headers below the working directory, without what a build makes.
sub sources {
  my @paths;
  find({ no_chdir => 1, wanted => sub {
    if (-d && m{^\./(?:build|\.git)$}) { $File::Find::prune = 1; return; }
    push @paths, s{^\./}{}r if /\.(?:cpp|h)$/;
  } }, '.');
  return sort @paths;
}

sub text_of {
  my ($path) = @_;
  open(my $handle, '<', $path) or die "$path: $!\n";
  local $/;
  return scalar(<$handle>) // '';
}

# The text with comments and the contents of literals blanked out, each character and line where it was. What the
# preprocessor reads is blanked out too.
sub without_comments {
  my ($text) = @_;
  my $blank = sub { $_[0] =~ s/[^\n]/ /gr };
  $text =~ s{
      (//(?:[^\n\\]|\\.)*|/\*.*?\*/|^[ \t]*\#(?:[^\n\\]|\\.)*)   # comments, lines of the preprocessor
    | \bR"([^()\s\\]*)\(.*?\)\g{-1}"                             # raw texts
    | "(?:[^"\\\n]|\\.)*"
    | (?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'                        # no separator of digits
  }{ defined $1 ? $blank->($&) : '"' . $blank->(substr($&, 1, length($&) - 2)) . '"' }gsmex;
  return $text;
}

sub line_of {
  my ($text, $at) = @_;
  return 1 + (substr($text, 0, $at) =~ tr/\n//);
}

1;

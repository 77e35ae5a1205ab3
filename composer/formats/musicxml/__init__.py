"""MusicXML and kern, by music21."""

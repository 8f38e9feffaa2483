-- Commands and results are few among the reports of signs, and asked for over any range.
CREATE INDEX sign_message_commands ON subak.sign_message (time) WHERE step <> 'status';
